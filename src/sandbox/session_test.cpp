#include "sandbox/session.hpp"

#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "net/memory_stream_fake.hpp"
#include "sandbox/testing_fake.hpp"

#include <array>

#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class SessionTest : public testing::Test {
 protected:
  /// Has a conversation with a gantry-init that says `words` and then nothing more.
  Conversation hear(std::string words) { return loop_.run(talk(engine_frame(1, words))); }
  /// As `hear`, with the engine's framing made by the test.
  Conversation hear_raw(std::string words) { return loop_.run(talk(std::move(words))); }

  async::task<Conversation> talk(std::string words) {
    auto [near, far] = net::memory_streams(loop_.executor());
    co_await far->write(words);
    far->finish_writing();
    Conversation conversation;
    {
      InitSession session{{std::move(near), engine::Framing::multiplexed}};
      conversation = co_await session.run(execution_, {"A=image"}, observer_);
    }
    std::array<char, 4096> buffer{};
    while (auto count = co_await far->read_some(buffer)) sent_.append(buffer.data(), count);
    co_return conversation;
  }

  async::TestLoop loop_;
  Execution execution_{ExecutionId{"e1"}, {.command = {"sh"}, .input = "typed"}, {.output = {8}}};
  Told told_;
  Observer observer_ = told_.observer();
  std::string sent_;
};

TEST_F(SessionTest, ARunIsPassedOnInItsOrder) {
  auto heard = hear(init_frame('R', "\2") + init_frame('S') + init_frame('O', "one") +
                    init_frame('P', "two") + verdict_frame(0, 3));
  ASSERT_TRUE(heard.outcome);
  EXPECT_EQ(heard.outcome->exit_code, 3);
  EXPECT_EQ(heard.complaint, "");
  EXPECT_THAT(told_.lines, ElementsAre("started", "out:one", "err:two"));
}

TEST_F(SessionTest, TheProgramAndItsInputAreSent) {
  hear(verdict_frame(0));
  EXPECT_EQ(sent_, init::encode_run(execution_, {"A=image"}, init::Start::fresh) +
                       init::encode_input("typed") + init::encode_end_of_input());
}

TEST_F(SessionTest, TheCapOfEachStreamIsCountedAgainOnOurSide) {
  hear(init_frame('O', "12345") + init_frame('O', "67890") + init_frame('O', "more") +
       init_frame('P', "abcdefghij") + verdict_frame(5));
  EXPECT_THAT(told_.lines, ElementsAre("out:12345", "out:678", "err:abcdefgh"));
}

TEST_F(SessionTest, EmptyOutputIsNotPassedOn) {
  hear(init_frame('O', "") + init_frame('P', "") + verdict_frame(0));
  EXPECT_THAT(told_.lines, IsEmpty());
}

TEST_F(SessionTest, AProgramStartsOnceHoweverOftenItIsSaid) {
  hear(init_frame('S') + init_frame('S') + init_frame('S') + verdict_frame(0));
  EXPECT_THAT(told_.lines, ElementsAre("started"));
}

TEST_F(SessionTest, NothingIsHeardAfterTheVerdict) {
  hear(verdict_frame(0) + init_frame('O', "late") + init_frame('S'));
  EXPECT_THAT(told_.lines, IsEmpty());
}

TEST_F(SessionTest, AnEndWithoutAVerdictIsNoReport) {
  auto heard = hear(init_frame('R', "\2") + init_frame('S'));
  EXPECT_FALSE(heard.outcome);
  EXPECT_EQ(heard.complaint, "");
}

TEST_F(SessionTest, ItsOwnFailureIsAComplaintAndTheEnd) {
  auto heard = hear(init_frame('X', "no space for 'a'") + verdict_frame(0));
  EXPECT_FALSE(heard.outcome);
  EXPECT_EQ(heard.complaint, "no space for 'a'");
}

TEST_F(SessionTest, AnUnknownFrameEndsTheConversation) {
  auto heard = hear(init_frame('q') + verdict_frame(0));
  EXPECT_FALSE(heard.outcome);
  EXPECT_EQ(heard.complaint, "a frame of type 113");
}

TEST_F(SessionTest, AFrameThatIsTooLargeEndsTheConversation) {
  auto heard = hear("O" + big_endian(1U << 30U, 4) + "xxxx");
  EXPECT_FALSE(heard.outcome);
  EXPECT_THAT(heard.complaint, HasSubstr("a frame of 1073741824 bytes"));
}

TEST_F(SessionTest, AVerdictOfAnotherVersionIsNone) {
  auto heard = hear(init_frame('V', std::string(63, '\1')));
  EXPECT_FALSE(heard.outcome);
  EXPECT_THAT(heard.complaint, HasSubstr("another version"));
}

TEST_F(SessionTest, DiagnosticsAreKeptUpToALimit) {
  auto heard =
      hear_raw(engine_frame(2, std::string(3'000, 'd')) + engine_frame(2, std::string(3'000, 'e')) +
               engine_frame(1, init_frame('X', "f")));
  EXPECT_THAT(heard.complaint, SizeIs(4'096));
  EXPECT_THAT(heard.complaint, StartsWith("ddd"));
}

TEST_F(SessionTest, DiagnosticsDoNotTouchAVerdict) {
  auto heard = hear_raw(engine_frame(2, verdict_frame(4)) + engine_frame(1, verdict_frame(0)));
  EXPECT_EQ(heard.outcome->verdict, Verdict::ok);
}

TEST_F(SessionTest, FramesMayBeCutAnywhereByTheEngine) {
  auto words = init_frame('O', "one") + verdict_frame(0);
  auto heard = hear_raw(engine_frame(1, words.substr(0, 3)) + engine_frame(1, words.substr(3, 7)) +
                        engine_frame(1, words.substr(10)));
  EXPECT_TRUE(heard.outcome);
  EXPECT_THAT(told_.lines, ElementsAre("out:one"));
}

TEST_F(SessionTest, WhatIsNotTheEnginesFramingIsAFailure) {
  EXPECT_THROW(hear_raw("HTTP/1.1 500 what is this"), Failure);
}

TEST_F(SessionTest, AnotherVersionEndsTheConversation) {
  auto heard = hear(init_frame('R', "\1") + verdict_frame(0));
  EXPECT_FALSE(heard.outcome);
  EXPECT_EQ(heard.complaint, "it speaks another version");
}

/// One row: what gantry-init says, and what it means.
struct Meaning {
  std::string name;
  init::Report report;
  Verdict verdict;
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string message;
};

init::Report report(init::Cause cause, int exit_code, int signal) {
  return {cause, exit_code, signal, Microseconds{7}, Microseconds{5}, 9};
}

class OutcomeOf : public testing::TestWithParam<Meaning> {};

TEST_P(OutcomeOf, IsWhatTheTableSays) {
  Policy policy{.wall_time = Milliseconds{20}, .cpu_time = Milliseconds{10}};
  policy.memory = {32U << 20U};
  policy.output = {4'096};
  policy.file = {1'024};
  auto outcome = outcome_of(GetParam().report, policy);
  EXPECT_EQ(outcome.verdict, GetParam().verdict);
  EXPECT_EQ(outcome.exit_code, GetParam().exit_code);
  EXPECT_EQ(outcome.signal, GetParam().signal);
  EXPECT_EQ(outcome.message, GetParam().message);
  EXPECT_EQ(outcome.wall_time, Microseconds{7});
  EXPECT_EQ(outcome.cpu_time, Microseconds{5});
  EXPECT_EQ(outcome.memory_peak_bytes, 9U);
}

constexpr auto none = std::nullopt;

INSTANTIATE_TEST_SUITE_P(
    EveryCause, OutcomeOf,
    testing::Values(
        Meaning{"Ok", report(init::Cause::exited, 0, 0), Verdict::ok, 0, none, ""},
        Meaning{"Failed", report(init::Cause::exited, 3, 0), Verdict::failed, 3, none, ""},
        Meaning{"Signalled", report(init::Cause::signalled, 139, 11), Verdict::signalled, none, 11,
                "ended by SIGSEGV"},
        Meaning{"FileSize", report(init::Cause::signalled, 153, 25), Verdict::signalled, none, 25,
                "wrote a file of more than 1024 bytes"},
        Meaning{"WallTime", report(init::Cause::wall_time, 137, 9), Verdict::timed_out, none, 9,
                "ran longer than 20 ms"},
        Meaning{"CpuTime", report(init::Cause::cpu_time, 137, 9), Verdict::cpu_exceeded, none, 9,
                "used more than 10 ms of CPU time"},
        Meaning{"Memory", report(init::Cause::memory, 0, 0), Verdict::memory_exceeded, none, 9,
                "needed more than 33554432 bytes of memory"},
        Meaning{"Stdout", report(init::Cause::stdout_cap, 137, 9), Verdict::output_exceeded, none,
                9, "wrote more than 4096 bytes to standard output"},
        Meaning{"Stderr", report(init::Cause::stderr_cap, 137, 9), Verdict::output_exceeded, none,
                9, "wrote more than 4096 bytes to standard error"},
        Meaning{"NotStarted", report(init::Cause::not_started, 127, 0), Verdict::failed, 127, none,
                "the command could not be started"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace gantry::sandbox
