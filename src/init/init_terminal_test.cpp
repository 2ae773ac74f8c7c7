#include "init/init_fixture.hpp"
#include "init/init_harness.hpp"

#include <string>

#include <gtest/gtest.h>

// Rules of docs/protocols/init.md about terminals.

namespace gantry::init_test {
namespace {

std::string u16(std::uint32_t value) { return u32(value).substr(2); }
std::string size_frame(std::uint32_t rows, std::uint32_t columns) {
  return frame('T', u16(rows) + u16(columns));
}

class TerminalTest : public InitTest {
 protected:
  static std::string request(const std::string& script, Limits limits = {}) {
    limits.flags |= terminal;
    return program({"sh", "-c", script}, limits) + size_frame(30, 100) + frame('G');
  }
};

TEST_F(TerminalTest, AllThreeDescriptorsAreATerminalOfTheSizeTold) {
  const auto outcome =
      init_.finish_after(request("test -t 0 && test -t 1 && test -t 2 && stty size; echo err >&2"));

  EXPECT_EQ(outcome.types, "RSOV");
  EXPECT_EQ(outcome.out, "30 100\r\nerr\r\n");
  EXPECT_EQ(outcome.verdict->exit_code, 0);
}

TEST_F(TerminalTest, ItControlsTheProgram) {
  const auto outcome = init_.finish_after(request("echo hello > /dev/tty"));

  EXPECT_EQ(outcome.out, "hello\r\n");
}

TEST_F(TerminalTest, AProgramInheritsThreeDescriptorsAndNoMore) {
  const auto outcome =
      init_.finish_after(program({init_.probe(), "descriptors"}, {.flags = terminal}) + frame('G'));

  EXPECT_EQ(outcome.out, "0 1 2 ");
}

TEST_F(TerminalTest, WhatIsTypedIsEchoedAndRead) {
  init_.start();
  init_.send(request("echo up; read line; echo \"<$line>\""));
  ASSERT_TRUE(init_.wait_for_output("up"));
  init_.send(frame('I', "typed\n"));
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.out, "up\r\ntyped\r\n<typed>\r\n");
}

TEST_F(TerminalTest, ControlCInterrupts) {
  init_.start();
  init_.send(request("trap 'echo caught; exit 5' INT; echo up; while :; do sleep 0.05; done"));
  ASSERT_TRUE(init_.wait_for_output("up"));
  init_.send(frame('I', "\x03"));
  const auto outcome = init_.finish();

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->exit_code, 5);
}

TEST_F(TerminalTest, TheEndOfInputIsTheEndOfTheTerminalsInput) {
  init_.start();
  init_.send(request("stty -echo; echo up; cat; echo end"));
  ASSERT_TRUE(init_.wait_for_output("up"));
  init_.send(frame('I', "unfinished") + frame('Z'));
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.out, "up\r\nunfinishedend\r\n");
}

TEST_F(TerminalTest, AChangedSizeIsTold) {
  init_.start();
  init_.send(request("trap 'stty size; exit 0' WINCH; echo up; while :; do sleep 0.05; done"));
  ASSERT_TRUE(init_.wait_for_output("up"));
  init_.send(size_frame(50, 132));
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.out, "up\r\n50 132\r\n");
}

TEST_F(TerminalTest, ItsOutputHasTheCapOfAnyOther) {
  const auto outcome = init_.finish_after(request("yes", {.output_bytes = 1'000}));

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, 5);
  EXPECT_EQ(outcome.out.size(), 1'000U);
}

TEST_F(TerminalTest, AProgramThatClosesItRunsToItsEnd) {
  const auto outcome = init_.finish_after(request("exec <&- >&- 2>&-; sleep 0.2; exit 3"));

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->exit_code, 3);
}

TEST_F(TerminalTest, OneThatNeverReadsEndsAtItsWallTime) {
  init_.start();
  init_.send(request("stty raw -echo; echo up; sleep 20", {.wall_ms = 2'000}));
  ASSERT_TRUE(init_.wait_for_output("up"));
  for (int i = 0; i < 8; ++i) init_.send(frame('I', std::string(65'536, 'x')));
  const auto outcome = init_.finish();

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, 2);
  EXPECT_LT(outcome.elapsed, held_up);
}

TEST_F(TerminalTest, ASizeForAProgramWithoutOneIsRefused) {
  const auto outcome = init_.finish_after(program({"sleep", "20"}) + frame('G') + size_frame(1, 1));

  EXPECT_EQ(outcome.failure, "a 'T' frame came without a terminal");
}

}  // namespace
}  // namespace gantry::init_test
