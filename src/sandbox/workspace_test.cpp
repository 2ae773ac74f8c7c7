#include "sandbox/workspace.hpp"

#include "async/testing_fake.hpp"
#include "net/memory_stream_fake.hpp"
#include "sandbox/init_protocol.hpp"
#include "sandbox/session.hpp"
#include "sandbox/testing_fake.hpp"

#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::HasSubstr;

std::string head(std::uint32_t mode, std::uint64_t size, std::string_view path) {
  return big_endian(mode, 4) + big_endian(size, 8) + std::string{path};
}

std::string ending(int result = 0, std::uint32_t left_out = 0) {
  return big_endian(static_cast<std::uint64_t>(result), 1) + big_endian(left_out, 4);
}

std::string packed_file(std::string_view path, std::string_view content) {
  return init_frame('F', head(0644, content.size(), path)) + init_frame('D', content);
}

TEST(WorkspaceReader, PacksWhatComesAsWhatIsSent) {
  WorkspaceReader reader{Workspace{}};
  EXPECT_EQ(reader.begin(head(040755, 0, "a")), "");
  EXPECT_EQ(reader.begin(head(0755, 4, "a/b")), "");
  EXPECT_EQ(reader.append("one"), "");
  EXPECT_FALSE(reader.complete());
  EXPECT_EQ(reader.append("!"), "");
  EXPECT_EQ(reader.end(ending()), "");
  EXPECT_TRUE(reader.whole());
  EXPECT_EQ(reader.remark(), "");
  auto packed = std::move(reader).take();
  EXPECT_EQ(packed, init_frame('F', head(040755, 0, "workspace/a")) +
                        init_frame('F', head(0755, 4, "workspace/a/b")) + init_frame('D', "one") +
                        init_frame('D', "!"));
  auto size = measure(packed);
  ASSERT_TRUE(size);
  EXPECT_EQ(size->bytes, Bytes{4});
  EXPECT_EQ(size->files, 2U);
}

TEST(WorkspaceReader, CountsTheCapsAgain) {
  WorkspaceReader reader{{.packed = {}, .bytes_max = Bytes{3}, .files_max = 1}};
  EXPECT_THAT(reader.begin(head(0644, 4, "x")), HasSubstr("more of the workspace"));
  EXPECT_EQ(reader.begin(head(0644, 0, "x")), "");
  EXPECT_THAT(reader.begin(head(0644, 0, "y")), HasSubstr("more of the workspace"));
}

TEST(WorkspaceReader, RefusesWhatCanNotBe) {
  WorkspaceReader reader{Workspace{}};
  EXPECT_NE(reader.begin(head(0777, 0, "x")), "");
  EXPECT_NE(reader.begin(head(040755, 1, "x")), "");
  EXPECT_NE(reader.begin("short"), "");
  EXPECT_NE(reader.append("x"), "");
  EXPECT_NE(reader.append(""), "");
  EXPECT_NE(reader.end("x"), "");
  EXPECT_EQ(reader.begin(head(0644, 1, "x")), "");
  EXPECT_NE(reader.begin(head(0644, 1, "y")), "");
  EXPECT_NE(reader.append(""), "");
  EXPECT_NE(reader.end(ending()), "");
}

TEST(WorkspaceReader, LeavesOutNamesThatAreNone) {
  WorkspaceReader reader{Workspace{}};
  EXPECT_EQ(reader.begin(head(0644, 1, "../x")), "");
  EXPECT_EQ(reader.append("x"), "");
  EXPECT_EQ(reader.begin(head(0644, 0, "\xff")), "");
  EXPECT_EQ(reader.end(ending(0, 3)), "");
  EXPECT_THAT(reader.remark(), HasSubstr("5 entries of the workspace are not kept"));
  EXPECT_EQ(std::move(reader).take(), "");
}

TEST(WorkspaceReader, SaysWhatDoesNotFit) {
  WorkspaceReader large{{.packed = {}, .bytes_max = Bytes{7}}};
  EXPECT_EQ(large.end(ending(1)), "");
  EXPECT_FALSE(large.whole());
  EXPECT_THAT(large.remark(), HasSubstr("kept as it was before: more than 7 bytes"));
  WorkspaceReader many{{.packed = {}, .files_max = 9}};
  EXPECT_EQ(many.end(ending(2)), "");
  EXPECT_THAT(many.remark(), HasSubstr("more than 9 files and folders"));
}

TEST(WorkspaceReader, LeavesTheOldCopyWhateverStoodInTheWay) {
  auto remark_of = [](int result) {
    WorkspaceReader reader{Workspace{}};
    EXPECT_EQ(reader.end(ending(result)), "");
    EXPECT_FALSE(reader.whole());
    return reader.remark();
  };
  EXPECT_THAT(remark_of(3), HasSubstr("as it was before: more than 15 folders lay in each other"));
  EXPECT_THAT(remark_of(4), HasSubstr("left no folder 'workspace' that can be read"));
  EXPECT_THAT(remark_of(5), HasSubstr("no time"));
  EXPECT_THAT(remark_of(99), HasSubstr("as it was before"));
}

TEST(Workspace, HasMoreTimeTheMoreItMayHold) {
  EXPECT_EQ(travel_max({.packed = {}, .bytes_max = Bytes{1}}), Seconds{10});
  EXPECT_EQ(travel_max({.packed = {}, .bytes_max = Bytes{256U << 20U}}), Seconds{74});
}

TEST(Measure, RefusesWhatNobodyPacked) {
  EXPECT_TRUE(measure(""));
  EXPECT_FALSE(measure("x"));
  EXPECT_FALSE(measure(packed_file("main.py", "x")));
  EXPECT_FALSE(measure(init_frame('G')));
  EXPECT_FALSE(measure(init_frame('D', "x")));
  EXPECT_FALSE(measure(packed_file("workspace/x", "xyz").substr(0, 30)));
  EXPECT_FALSE(measure(init_frame('F', head(0644, 2, "workspace/x")) + init_frame('D', "x")));
}

class WorkspaceSession : public testing::Test {
 protected:
  Conversation hear(std::string words) { return loop_.run(talk(std::move(words))); }

  async::task<Conversation> talk(std::string words) {
    auto [near, far] = net::memory_streams(loop_.executor());
    co_await far->write(engine_frame(1, words));
    far->finish_writing();
    InitSession session{{std::move(near), engine::Framing::multiplexed}};
    co_return co_await session.run(execution_, {}, told_.observer());
  }

  async::TestLoop loop_;
  Execution execution_{.id = ExecutionId{"e1"},
                       .program = {.command = {"sh"}},
                       .policy = {},
                       .workspace = Workspace{}};
  Told told_;
};

const std::string kept = init_frame('H', head(0644, 1, "x")) + init_frame('D', "x");

TEST_F(WorkspaceSession, WhatComesBackIsInTheOutcome) {
  auto heard = hear(init_frame('S') + artifact_frames("a", "1") + kept + init_frame('Y', ending()) +
                    verdict_frame(0, 1));
  ASSERT_TRUE(heard.outcome) << heard.complaint;
  EXPECT_EQ(heard.outcome->verdict, Verdict::failed);
  EXPECT_EQ(heard.outcome->workspace, packed_file("workspace/x", "x"));
  EXPECT_EQ(heard.outcome->artifacts.size(), 1U);
}

TEST_F(WorkspaceSession, OfAProgramThatWasEndedNothingIsTaken) {
  auto heard = hear(kept + init_frame('Y', ending()) + verdict_frame(2));
  ASSERT_TRUE(heard.outcome);
  EXPECT_FALSE(heard.outcome->workspace);
}

TEST_F(WorkspaceSession, WithoutItsEndNothingIsTaken) {
  auto heard = hear(kept + verdict_frame(0));
  ASSERT_TRUE(heard.outcome);
  EXPECT_FALSE(heard.outcome->workspace);
}

TEST_F(WorkspaceSession, AFileThatIsNotWholeEndsTheConversation) {
  EXPECT_EQ(
      hear(init_frame('H', head(0644, 2, "x")) + init_frame('D', "x") + verdict_frame(0)).complaint,
      "a kept file shorter than announced");
}

TEST_F(WorkspaceSession, DataThatIsNoneEndsTheConversation) {
  EXPECT_FALSE(
      hear(init_frame('H', head(0644, 0, "x")) + init_frame('D') + verdict_frame(0)).outcome);
  EXPECT_FALSE(hear(artifact_frames("a", "1") + init_frame('Y', ending()) + init_frame('D') +
                    verdict_frame(0))
                   .outcome);
  execution_.workspace.reset();
  EXPECT_FALSE(hear(artifact_frames("a", "1") + init_frame('D') + verdict_frame(0)).outcome);
}

TEST_F(WorkspaceSession, WhatDoesNotFitIsSaid) {
  auto heard = hear(kept + init_frame('Y', ending(1)) + verdict_frame(0));
  ASSERT_TRUE(heard.outcome);
  EXPECT_FALSE(heard.outcome->workspace);
  EXPECT_THAT(heard.outcome->message, HasSubstr("the workspace is kept as it was before"));
}

TEST_F(WorkspaceSession, NobodySendsOneUnasked) {
  execution_.workspace.reset();
  EXPECT_FALSE(hear(kept + verdict_frame(0)).outcome);
}

TEST_F(WorkspaceSession, ItIsSentBeforeTheProgramStarts) {
  execution_.workspace->packed = packed_file("workspace/x", "old");
  execution_.workspace->bytes_max = Bytes{5};
  auto words = init::encode_run(execution_, {}, init::Start::fresh);
  EXPECT_THAT(
      words,
      HasSubstr(init_frame('F', head(040755, 0, "workspace")) + packed_file("workspace/x", "old") +
                init_frame('B', big_endian(5, 8) + big_endian(1000, 4)) + init_frame('G')));
}

TEST_F(WorkspaceSession, ACompilationGetsItAndTheProgramFindsItThere) {
  execution_.workspace->packed = packed_file("workspace/x", "old");
  execution_.program.compile = Compile{.command = {"cc"}};
  EXPECT_THAT(init::encode_compilation(execution_, {}), HasSubstr("workspace/x"));
  auto words = init::encode_run(execution_, {}, init::Start::fresh);
  EXPECT_THAT(words, testing::Not(HasSubstr("workspace/x")));
  EXPECT_THAT(words, HasSubstr(init_frame('B', big_endian(64U << 20U, 8) + big_endian(1000, 4))));
}

}  // namespace
}  // namespace gantry::sandbox
