#include "init/init_fixture.hpp"
#include "init/init_harness.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

// Rules of docs/protocols/init.md about the folder that is kept.

namespace gantry::init_test {
namespace {

std::string keep(std::uint64_t bytes = 1'000'000, std::uint32_t files = 100) {
  return frame('B', u64(bytes) + u32(files));
}

class WorkspaceTest : public InitTest {
 protected:
  Outcome keeping(const std::string& script, const std::string& before = keep(),
                  const Limits& limits = {}) {
    return init_.finish_after(program({"sh", "-c", script}, limits) + before + frame('G'));
  }
};

const KeptFile* find(const Outcome& outcome, const std::string& path) {
  const auto found = std::ranges::find(outcome.kept, path, &KeptFile::path);
  return found == outcome.kept.end() ? nullptr : &*found;
}

TEST_F(WorkspaceTest, FilesModesAndFoldersComeBack) {
  const auto outcome = keeping(
      "mkdir -p workspace/a/empty; cd workspace; printf one > a/one; printf go > run; chmod 700 "
      "run");

  ASSERT_TRUE(outcome.kept_end);
  EXPECT_EQ(outcome.kept_end->result, 0);
  EXPECT_TRUE(outcome.types.ends_with("YV"));
  EXPECT_EQ(outcome.kept.size(), 4U);
  ASSERT_NE(find(outcome, "a/one"), nullptr);
  EXPECT_EQ(find(outcome, "a/one")->mode, 0644U);
  EXPECT_EQ(find(outcome, "a/one")->content, "one");
  EXPECT_EQ(find(outcome, "run")->mode, 0755U);
  EXPECT_EQ(find(outcome, "a/empty")->mode, 040755U);
}

TEST_F(WorkspaceTest, WhatIsSentComesBack) {
  const auto sent = keep() + file_frame(040755, 0, "workspace") +
                    file_frame(040755, 0, "workspace/empty") +
                    file_frame(0755, 2, "workspace/deep/run") + frame('D', "go");

  const auto outcome = keeping("cat workspace/deep/run", sent);

  EXPECT_EQ(outcome.out, "go");
  EXPECT_EQ(outcome.kept.size(), 3U);
  EXPECT_EQ(find(outcome, "deep/run")->mode, 0755U);
}

TEST_F(WorkspaceTest, LinksPipesAndWhatCanNotBeReadAreLeftOut) {
  const auto outcome = keeping(
      "mkdir workspace; cd workspace; ln -s /etc/passwd link; ln -s /etc folder; mkfifo pipe;"
      "echo x > shut; chmod 0 shut; echo y > open");

  EXPECT_EQ(outcome.kept_end->result, 0);
  EXPECT_EQ(outcome.kept_end->left_out, 4U);
  ASSERT_EQ(outcome.kept.size(), 1U);
  EXPECT_EQ(outcome.kept[0].path, "open");
}

TEST_F(WorkspaceTest, AWorkspaceThatIsALinkIsNotFollowedAndNone) {
  const auto outcome = keeping("ln -s /etc workspace");

  EXPECT_TRUE(outcome.kept.empty());
  EXPECT_EQ(outcome.kept_end->result, 4);
  EXPECT_EQ(outcome.kept_end->left_out, 1U);
}

TEST_F(WorkspaceTest, OneThatIsGoneIsNone) {
  EXPECT_EQ(keeping("mkdir workspace; mv workspace other").kept_end->result, 4);
}

TEST_F(WorkspaceTest, OneThatCanNotBeReadIsNone) {
  EXPECT_EQ(keeping("mkdir workspace; echo x > workspace/x; chmod 0 workspace").kept_end->result,
            4);
}

TEST_F(WorkspaceTest, OneThatCanNotBeEnteredIsNone) {
  EXPECT_EQ(keeping("mkdir workspace; echo x > workspace/x; chmod 444 workspace").kept_end->result,
            4);
}

TEST_F(WorkspaceTest, AnEmptyOneIsAllOfIt) {
  EXPECT_EQ(keeping("mkdir workspace").kept_end->result, 0);
}

/// Digs so many folders below the workspace and leaves a file in the last.
std::string dig(int folders) {
  return "mkdir workspace; cd workspace; for i in $(seq " + std::to_string(folders) +
         "); do mkdir d; cd d; done; echo x > x";
}

TEST_F(WorkspaceTest, FifteenFoldersDeepIsAllOfIt) {
  const auto outcome = keeping(dig(15));

  EXPECT_EQ(outcome.kept_end->result, 0);
  EXPECT_EQ(outcome.kept.size(), 16U);
}

TEST_F(WorkspaceTest, ADeeperFolderIsSaid) { EXPECT_EQ(keeping(dig(16)).kept_end->result, 3); }

TEST_F(WorkspaceTest, TooManyBytesAreSaid) {
  const auto outcome = keeping("mkdir workspace; head -c 1001 /dev/zero > workspace/x", keep(1000));

  EXPECT_EQ(outcome.kept_end->result, 1);
  EXPECT_EQ(outcome.verdict->cause, 0);
}

TEST_F(WorkspaceTest, ASparseFileCountsByWhatItSaysItIs) {
  const auto outcome =
      keeping("mkdir workspace; truncate -s 1T workspace/x", keep(), {.file_bytes = 1ULL << 41U});

  EXPECT_EQ(outcome.kept_end->result, 1);
}

TEST_F(WorkspaceTest, TooManyFilesAreSaidAndFoldersAreSome) {
  const auto outcome =
      keeping("mkdir workspace; cd workspace; mkdir a b; echo x > c", keep(1000, 2));

  EXPECT_EQ(outcome.kept_end->result, 2);
}

TEST_F(WorkspaceTest, AProgramThatFailedByItselfIsKept) {
  const auto outcome = keeping("mkdir workspace; echo x > workspace/x; exit 3");

  EXPECT_EQ(outcome.kept.size(), 1U);
}

TEST_F(WorkspaceTest, AProgramThatWasEndedLeavesNothing) {
  const auto outcome =
      keeping("mkdir workspace; echo x > workspace/x; sleep 20", keep(), {.wall_ms = 300});

  EXPECT_TRUE(outcome.kept.empty());
  EXPECT_FALSE(outcome.kept_end);
  EXPECT_EQ(outcome.verdict->cause, 2);
}

TEST_F(WorkspaceTest, NothingComesBackUnasked) {
  EXPECT_EQ(shell("mkdir workspace; echo x > workspace/x").types, "RSV");
}

}  // namespace
}  // namespace gantry::init_test
