#include "init/init_fixture.hpp"
#include "init/init_harness.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

// Rules of docs/protocols/init.md about what a program leaves behind, and where it runs.

namespace gantry::init_test {
namespace {

class ArtifactTest : public InitTest {
 protected:
  /// Runs a script whose folder for artifacts exists.
  Outcome leave(const std::string& script, std::uint64_t wall_ms = 20'000) {
    return shell("mkdir out; cd out; " + script,
                 {.wall_ms = wall_ms, .file_bytes = 1ULL << 40U, .flags = artifacts});
  }
};

std::string paths(const Outcome& outcome) {
  std::vector<std::string> all;
  for (const auto& artifact : outcome.artifacts) all.push_back(artifact.path);
  std::ranges::sort(all);
  std::string joined;
  for (const auto& path : all) joined += path + " ";
  return joined;
}

TEST_F(ArtifactTest, FilesComeBackWithTheirPathsBehindTheOutput) {
  const auto outcome = leave("mkdir -p a/b; printf one > a/b/one; printf '' > empty; echo said");

  EXPECT_EQ(outcome.types.substr(0, 3), "RSO");
  EXPECT_EQ(outcome.types.back(), 'V');
  EXPECT_EQ(paths(outcome), "a/b/one empty ");
  const auto one = std::ranges::find(outcome.artifacts, "a/b/one", &Artifact::path);
  EXPECT_EQ(one->content, "one");
  EXPECT_EQ(outcome.verdict->artifacts_skipped, 0U);
}

TEST_F(ArtifactTest, NothingComesBackUnasked) {
  const auto outcome = shell("mkdir out; echo x > out/x");

  EXPECT_TRUE(outcome.artifacts.empty());
}

TEST_F(ArtifactTest, NoFolderIsNoArtifacts) {
  const auto outcome = shell("true", {.flags = artifacts});

  EXPECT_EQ(outcome.types, "RSV");
  EXPECT_EQ(outcome.verdict->artifacts_skipped, 0U);
}

TEST_F(ArtifactTest, AProgramThatWasEndedLeavesWhatItHad) {
  const auto outcome =
      shell("mkdir out; echo x > out/x; sleep 20", {.wall_ms = 300, .flags = artifacts});

  EXPECT_EQ(paths(outcome), "x ");
}

TEST_F(ArtifactTest, ALargeFileArrivesWhole) {
  const auto outcome = leave("head -c 3000000 /dev/zero | tr '\\0' y > large");

  ASSERT_EQ(outcome.artifacts.size(), 1U);
  EXPECT_EQ(outcome.artifacts[0].size, 3'000'000U);
  EXPECT_EQ(outcome.artifacts[0].content, std::string(3'000'000, 'y'));
}

TEST_F(ArtifactTest, SymbolicLinksAreNotFollowed) {
  const auto outcome = leave("ln -s /etc/passwd file; ln -s /etc folder; ln -s x loop");

  EXPECT_TRUE(outcome.artifacts.empty());
  EXPECT_EQ(outcome.verdict->artifacts_skipped, 3U);
}

TEST_F(ArtifactTest, AFolderThatIsASymbolicLinkIsNotFollowed) {
  const auto outcome = shell("ln -s /etc out", {.flags = artifacts});

  EXPECT_TRUE(outcome.artifacts.empty());
  EXPECT_EQ(outcome.verdict->artifacts_skipped, 1U);
}

TEST_F(ArtifactTest, PipesHoldNothingUp) {
  const auto outcome = leave("mkfifo pipe; echo x > x");

  EXPECT_EQ(paths(outcome), "x ");
  EXPECT_EQ(outcome.verdict->artifacts_skipped, 1U);
  EXPECT_LT(outcome.elapsed, std::chrono::milliseconds{9'000});
}

TEST_F(ArtifactTest, AnUnreadableFileIsSkipped) {
  const auto outcome = leave("echo x > x; chmod 0 x; mkdir d; echo y > d/y; chmod 0 d");

  EXPECT_TRUE(outcome.artifacts.empty());
  EXPECT_EQ(outcome.verdict->artifacts_skipped, 2U);
}

TEST_F(ArtifactTest, AFileOver16MiBIsSkippedHoweverSparse) {
  const auto outcome = leave("truncate -s 10G sparse; truncate -s 16777217 one-more; echo x > x");

  EXPECT_EQ(paths(outcome), "x ");
  EXPECT_EQ(outcome.verdict->artifacts_skipped, 2U);
}

TEST_F(ArtifactTest, AllFilesTogetherAreAtMost16MiB) {
  const auto outcome = leave("for i in 1 2 3; do truncate -s 8388608 $i; done");

  EXPECT_EQ(outcome.artifacts.size(), 2U);
  EXPECT_EQ(outcome.verdict->artifacts_skipped, 1U);
}

TEST_F(ArtifactTest, ThereAreAtMost64) {
  const auto outcome = leave("for i in $(seq 100); do echo $i > $i; done");

  EXPECT_EQ(outcome.artifacts.size(), 64U);
  EXPECT_EQ(outcome.verdict->artifacts_skipped, 36U);
}

TEST_F(ArtifactTest, DeepFoldersAndLongPathsAreSkipped) {
  const auto outcome = leave(
      "d=$(printf 'd/%.0s' $(seq 15)); mkdir -p $d/d; echo x > $d/x; echo y > $d/d/y; "
      "l=$(printf 'l%.0s' $(seq 250)); mkdir -p $l/$l; echo z > $l/$l/$l");

  EXPECT_EQ(paths(outcome), "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/x ");
  EXPECT_EQ(outcome.verdict->artifacts_skipped, 2U);
}

TEST_F(ArtifactTest, TooManyEntriesEndTheSearch) {
  // A disk that is busy takes long for so many.
  const auto outcome = leave("seq 16385 | xargs mkdir", 90'000);

  EXPECT_TRUE(outcome.artifacts.empty());
  EXPECT_EQ(outcome.verdict->artifacts_skipped, 1U);
}

TEST_F(ArtifactTest, CollectingDoesNotCountAsTheProgramsTime) {
  const auto outcome = leave("head -c 16000000 /dev/zero > large");

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, 0);
  EXPECT_EQ(outcome.artifacts.size(), 1U);
}

// --- Where it runs ---

TEST_F(InitTest, AWorkingDirectoryBelowTheWorkFolderIsMade) {
  const auto outcome =
      init_.finish_after(program({"pwd"}, {.umask = 077}) + frame('C', "src/deep") + frame('G'));

  EXPECT_EQ(outcome.out, (init_.box() / "src/deep").string() + "\n");
}

TEST_F(InitTest, AWorkingDirectoryThatFilesHaveMadeIsTaken) {
  const auto outcome = init_.finish_after(program({"cat", "x"}) + file_frame(0644, 2, "src/x") +
                                          frame('D', "hi") + frame('C', "src") + frame('G'));

  EXPECT_EQ(outcome.out, "hi");
}

TEST_F(InitTest, AWorkingDirectoryThatIsAFileIsNamed) {
  const auto outcome = init_.finish_after(program({"true"}) + file_frame(0644, 0, "src") +
                                          frame('C', "src") + frame('G'));

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->exit_code, 126);
  EXPECT_EQ(outcome.err, "cannot enter working directory 'src': Not a directory\n");
}

}  // namespace
}  // namespace gantry::init_test
