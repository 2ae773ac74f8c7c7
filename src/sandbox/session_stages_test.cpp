#include "async/race.hpp"
#include "async/testing_fake.hpp"
#include "net/memory_stream_fake.hpp"
#include "sandbox/session.hpp"
#include "sandbox/testing_fake.hpp"

#include <array>

#include <gmock/gmock.h>

// What is more than a program that runs: a compilation before it, files and cut off output behind
// it, somebody at its keyboard, and an interpreter that waits for it.

namespace gantry::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

class SessionStagesTest : public testing::Test {
 protected:
  /// Has a conversation with a gantry-init that says `words` and then nothing more.
  Conversation hear(std::string words) { return loop_.run(talk(std::move(words))); }

  async::task<Conversation> talk(std::string words) {
    auto [near, far] = net::memory_streams(loop_.executor());
    co_await far->write(engine_frame(1, words));
    far->finish_writing();
    Conversation conversation;
    {
      InitSession session{{std::move(near), engine::Framing::multiplexed}};
      conversation = co_await session.run(execution_, {"A=image"}, observer_);
    }
    co_await keep_what_was_sent(*far);
    co_return conversation;
  }

  async::task<void> keep_what_was_sent(net::Stream& far) {
    std::array<char, 4096> buffer{};
    while (auto count = co_await far.read_some(buffer)) sent_.append(buffer.data(), count);
  }

  /// What is sent to a gantry-init that hears everything to the end of the input.
  async::task<std::string> type() {
    auto [near, far] = net::memory_streams(loop_.executor());
    InitSession session{{std::move(near), engine::Framing::multiplexed}};
    co_await async::both(hear_to_the_end(*far), run_in(session));
    co_return sent_;
  }
  async::task<void> hear_to_the_end(net::Stream& far) {
    std::array<char, 4096> buffer{};
    while (!sent_.ends_with(init::encode_end_of_input())) {
      sent_.append(buffer.data(), co_await far.read_some(buffer));
    }
    co_await far.write(engine_frame(1, verdict_frame(0)));
  }
  async::task<void> run_in(InitSession& session) {
    co_await session.run(execution_, {}, observer_);
  }

  /// Prepares a gantry-init that says `words` and ends, and watches it then.
  async::task<Result<>> prepare(std::string words, std::optional<init::Boot> boot) {
    auto [near, far] = net::memory_streams(loop_.executor());
    co_await far->write(engine_frame(1, words));
    far->finish_writing();
    InitSession session{{std::move(near), engine::Framing::multiplexed}};
    auto prepared = co_await session.prepare(std::move(boot));
    if (prepared) watched_ = co_await session.watch();
    co_return prepared;
  }

  /// Runs the program where an interpreter waits.
  async::task<Conversation> use_prepared() {
    auto [near, far] = net::memory_streams(loop_.executor());
    co_await far->write(engine_frame(1, init_frame('R', "\2") + init_frame('w', "\1")));
    Conversation conversation;
    {
      InitSession session{{std::move(near), engine::Framing::multiplexed}};
      (void)co_await session.prepare(boot_);
      co_await far->write(engine_frame(1, init_frame('S') + verdict_frame(0)));
      conversation = co_await session.run(execution_, {"A=image"}, observer_, init::Start::waiting);
    }
    co_await keep_what_was_sent(*far);
    co_return conversation;
  }

  async::TestLoop loop_;
  init::Boot boot_{.command = {"python3"}, .env = {}, .image_env = {"A=image"}};
  Execution execution_{ExecutionId{"e1"}, {.command = {"sh"}, .input = "typed"}, {.output = {8}}};
  Told told_;
  Observer observer_ = told_.observer();
  std::string watched_;
  std::string sent_;
};

// --- What is cut off ---

TEST_F(SessionStagesTest, OutputThatWasCutOffIsToldByInit) {
  auto heard = hear(verdict_frame(0, 0, 0, 2));
  EXPECT_FALSE(heard.outcome->output_truncated);
  EXPECT_TRUE(heard.outcome->errors_truncated);
}

TEST_F(SessionStagesTest, OutputThatWasCutOffHereIsToldToo) {
  auto heard = hear(init_frame('O', "123456789") + verdict_frame(0));
  EXPECT_TRUE(heard.outcome->output_truncated);
  EXPECT_FALSE(heard.outcome->errors_truncated);
}

// --- A compilation before the program ---

TEST_F(SessionStagesTest, ACompilationComesBeforeTheProgram) {
  execution_.program.compile = Compile{.command = {"cc"}};
  auto heard =
      hear(init_frame('R', "\2") + init_frame('S') + init_frame('P', "warned") + verdict_frame(0) +
           init_frame('S') + init_frame('O', "ran") + verdict_frame(0, 4));
  EXPECT_THAT(told_.lines, ElementsAre("compiling", "err:warned", "started", "out:ran"));
  EXPECT_EQ(heard.outcome->exit_code, 4);
  ASSERT_TRUE(heard.outcome->compile);
  EXPECT_EQ(heard.outcome->compile->verdict, Verdict::ok);
  EXPECT_EQ(sent_, init::encode_compilation(execution_, {"A=image"}) +
                       init::encode_run(execution_, {"A=image"}, init::Start::fresh) +
                       init::encode_input("typed") + init::encode_end_of_input());
}

TEST_F(SessionStagesTest, AFailedCompilationIsTheOutcome) {
  execution_.program.compile = Compile{.command = {"cc"}, .wall_time = Milliseconds{5}};
  auto heard = hear(init_frame('S') + verdict_frame(2, 137, 9) + init_frame('S'));
  EXPECT_EQ(heard.outcome->verdict, Verdict::timed_out);
  EXPECT_EQ(heard.outcome->message, "ran longer than 5 ms");
  EXPECT_EQ(heard.outcome->compile->verdict, Verdict::timed_out);
  EXPECT_THAT(told_.lines, ElementsAre("compiling"));
  EXPECT_EQ(sent_, init::encode_compilation(execution_, {"A=image"}));
}

TEST_F(SessionStagesTest, TheEndBetweenCompilationAndProgramKeepsWhatIsKnown) {
  execution_.program.compile = Compile{.command = {"cc"}};
  auto heard = hear(init_frame('S') + verdict_frame(0));
  EXPECT_FALSE(heard.outcome);
  EXPECT_TRUE(heard.compile);
}

// --- Artifacts ---

TEST_F(SessionStagesTest, ArtifactsComeInTheOrderOfTheirPaths) {
  auto heard = hear(artifact_frames("z", "last") + artifact_frames("a/b", "") +
                    artifact_frames("c", "in the middle") + verdict_frame(0));
  ASSERT_THAT(heard.outcome->artifacts, SizeIs(3));
  EXPECT_EQ(heard.outcome->artifacts[0].path, "a/b");
  EXPECT_EQ(heard.outcome->artifacts[0].content, "");
  EXPECT_EQ(heard.outcome->artifacts[1].content, "in the middle");
  EXPECT_EQ(heard.outcome->artifacts[2].content, "last");
  EXPECT_EQ(heard.outcome->message, "");
}

TEST_F(SessionStagesTest, AnArtifactWithANameThatIsNoneIsLeftOut) {
  auto heard = hear(artifact_frames("../../etc/passwd", "x") + artifact_frames("/etc/passwd", "x") +
                    artifact_frames("\xff", "x") + artifact_frames("good", "y") +
                    verdict_frame(0, 0, 0, 0, 2));
  ASSERT_THAT(heard.outcome->artifacts, SizeIs(1));
  EXPECT_EQ(heard.outcome->artifacts[0].content, "y");
  EXPECT_THAT(heard.outcome->message, StartsWith("5 of the files in /box/out were left behind"));
}

TEST_F(SessionStagesTest, MoreArtifactsThanAllowedEndTheConversation) {
  std::string words;
  for (int i = 0; i < 65; ++i) words += artifact_frames("x", "");
  auto heard = hear(words + verdict_frame(0));
  EXPECT_FALSE(heard.outcome);
  EXPECT_EQ(heard.complaint, "more artifacts than it may send");
}

TEST_F(SessionStagesTest, AnArtifactThatIsTooLargeEndsTheConversation) {
  auto heard = hear(init_frame('N', big_endian((16U << 20U) + 1, 8) + "x"));
  EXPECT_EQ(heard.complaint, "more artifacts than it may send");
}

TEST_F(SessionStagesTest, AnArtifactOfAnotherSizeEndsTheConversation) {
  EXPECT_EQ(hear(init_frame('N', big_endian(1, 8) + "x") + init_frame('D', "xy")).complaint,
            "an artifact longer than announced");
  EXPECT_EQ(hear(init_frame('N', big_endian(2, 8) + "x") + verdict_frame(0)).complaint,
            "an artifact shorter than announced");
}

TEST_F(SessionStagesTest, ACompilationLeavesNoArtifacts) {
  execution_.program.compile = Compile{.command = {"cc"}};
  auto heard = hear(artifact_frames("x", "y") + verdict_frame(0));
  EXPECT_FALSE(heard.outcome);
  EXPECT_EQ(heard.complaint, "a frame of type 78");
}

// --- Somebody at the keyboard ---

TEST_F(SessionStagesTest, WhatSomebodyDoesMeanwhileIsSent) {
  using Kind = Keystrokes::Kind;
  execution_.keyboard = std::make_shared<Keyboard>(loop_.executor(), 8);
  execution_.keyboard->try_send({.kind = Kind::bytes, .bytes = "more"});
  execution_.keyboard->try_send({.kind = Kind::signal, .bytes = {}, .signal = 2});
  execution_.keyboard->try_send({.kind = Kind::signal, .bytes = {}, .signal = 65});
  execution_.keyboard->try_send({.kind = Kind::resize, .bytes = {}, .rows = 5, .columns = 6});
  execution_.keyboard->try_send({.kind = Kind::end_of_input, .bytes = {}});
  execution_.keyboard->try_send({.kind = Kind::bytes, .bytes = "late"});
  execution_.keyboard->close();
  EXPECT_EQ(loop_.run(type()), init::encode_run(execution_, {}, init::Start::fresh) +
                                   init::encode_input("typed") + init::encode_input("more") +
                                   init::encode_signal(2) + init::encode_end_of_input());
}

TEST_F(SessionStagesTest, ATerminalsSizeIsSentAndAClosedKeyboardIsTheEnd) {
  execution_.keyboard = std::make_shared<Keyboard>(loop_.executor(), 8);
  execution_.terminal = Terminal{};
  execution_.keyboard->try_send(
      {.kind = Keystrokes::Kind::resize, .bytes = {}, .rows = 5, .columns = 6});
  execution_.keyboard->close();
  EXPECT_EQ(loop_.run(type()), init::encode_run(execution_, {}, init::Start::fresh) +
                                   init::encode_input("typed") + init::encode_resize(5, 6) +
                                   init::encode_end_of_input());
}

// --- What waits for its program ---

TEST_F(SessionStagesTest, AnInitThatIsUpIsPrepared) {
  EXPECT_TRUE(loop_.run(prepare(init_frame('R', "\2"), {})));
  EXPECT_EQ(watched_, "it ended");
}

TEST_F(SessionStagesTest, AnInterpreterThatWaitsIsPrepared) {
  EXPECT_TRUE(loop_.run(
      prepare(init_frame('R', "\2") + init_frame('w', "\1") + init_frame('X', "died"), boot_)));
  EXPECT_EQ(watched_, "died");
}

TEST_F(SessionStagesTest, WhatIsNotUpIsNotPrepared) {
  auto prepared = loop_.run(prepare(init_frame('R', "\2") + init_frame('X', "no python"), boot_));
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().code, "sandbox_not_ready");
  EXPECT_EQ(prepared.error().message, "cannot prepare a sandbox: no python");
  EXPECT_FALSE(loop_.run(prepare(init_frame('R', "\1"), {})));
  EXPECT_FALSE(loop_.run(prepare("", {})));
}

TEST_F(SessionStagesTest, AnInterpreterThatWaitsGetsItsProgram) {
  EXPECT_TRUE(loop_.run(use_prepared()).outcome);
  EXPECT_EQ(sent_, init::encode_boot(boot_) +
                       init::encode_run(execution_, {"A=image"}, init::Start::waiting) +
                       init::encode_input("typed") + init::encode_end_of_input());
}

TEST_F(SessionStagesTest, AProgramThatCanNotHaveTheInterpreterStartsFresh) {
  execution_.policy.file = {5};
  loop_.run(use_prepared());
  EXPECT_THAT(sent_, HasSubstr(init::encode_run(execution_, {"A=image"}, init::Start::fresh)));
}

}  // namespace
}  // namespace gantry::sandbox
