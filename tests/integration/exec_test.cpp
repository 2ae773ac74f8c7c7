#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "engine/exec_run.hpp"
#include "integration/real_engine.hpp"

#include <gmock/gmock.h>

namespace gantry::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Exec : public RealEngine {
 protected:
  async::task<Result<ExecResult>> sh(std::string container, std::string script,
                                     std::string input = {}, ExecBounds bounds = {}) {
    ExecSpec spec;
    spec.command = {"sh", "-c", std::move(script)};
    return run_exec(engine(), std::move(container), std::move(spec), std::move(input), bounds);
  }
  std::string processes(const std::string& container) {
    return must(sh(container, "ps -o pid,args")).out.bytes;
  }
};

TEST_F(Exec, ACommandIsRunToItsEnd) {
  auto result = must(sh(started(sleeper()), "echo out; echo err >&2; exit 3"));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.out.bytes, "out\n");
  EXPECT_EQ(result.err.bytes, "err\n");
  EXPECT_FALSE(result.timed_out);
}

TEST_F(Exec, ItReadsWhatItIsGiven) {
  std::string input(1U << 20U, 'x');
  auto result = must(sh(started(sleeper()), "cat | wc -c", input));
  EXPECT_THAT(result.out.bytes, HasSubstr("1048576"));
}

TEST_F(Exec, InputThatNobodyReadsIsNoTrouble) {
  auto result = must(sh(started(sleeper()), "exit 0", std::string(1U << 20U, 'x')));
  EXPECT_EQ(result.exit_code, 0);
}

TEST_F(Exec, OutputAboveTheCapIsDroppedAndTheCommandGoesOn) {
  auto result = must(sh(started(sleeper()), "yes | head -c 3000000; echo e >&2; exit 4", {},
                        {.output_max = Bytes{1000}}));
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_EQ(result.out.bytes.size(), 1000U);
  EXPECT_TRUE(result.out.truncated);
  EXPECT_EQ(result.err.bytes, "e\n");
  EXPECT_FALSE(result.err.truncated);
}

TEST_F(Exec, WhoClosesItsOutputsHasNotEnded) {
  auto id = started(sleeper());
  auto late = must(sh(id, "exec >&- 2>&-; sleep 1; exit 5"));
  EXPECT_EQ(late.exit_code, 5);
  auto result = must(sh(id, "exec >&- 2>&-; sleep 7103", {}, {.time_max = Milliseconds{1'500}}));
  EXPECT_TRUE(result.timed_out);
  EXPECT_FALSE(result.exit_code);
  EXPECT_THAT(processes(id), Not(HasSubstr("7103")));
}

TEST_F(Exec, OutOfTimeItIsKilledWithWhatItStarted) {
  auto id = started(sleeper());
  auto result = must(sh(id, "trap '' TERM HUP; sleep 7101 & echo on; sleep 7102", {},
                        {.time_max = Milliseconds{1'000}}));
  EXPECT_TRUE(result.timed_out);
  EXPECT_FALSE(result.exit_code);
  EXPECT_EQ(result.out.bytes, "on\n");
  EXPECT_EQ(result.end.fate, ProcessFate::ended) << result.end.detail;
  EXPECT_THAT(processes(id), Not(HasSubstr("sleep 710")));
}

TEST_F(Exec, WhenNobodyWaitsForItAnyMoreItIsKilled) {
  auto id = started(sleeper());
  auto given_up = run(
      async::attempt(async::with_deadline(Milliseconds{1'000}, "waiting", sh(id, "sleep 7110"))));
  EXPECT_EQ(given_up.error().kind, ErrorKind::timed_out);
  EXPECT_THAT(processes(id), Not(HasSubstr("sleep 7110")));
}

TEST_F(Exec, WhatCanNotBeStartedIsRefused) {
  auto id = started(sleeper());
  ExecSpec spec;
  spec.command = {"/no/such/program"};
  auto refused = run(run_exec(engine(), id, spec, {}, {}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "exec_not_started");
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
  spec.command = {"true"};
  spec.user = "nobody-of-that-name";
  EXPECT_EQ(run(run_exec(engine(), id, spec, {}, {})).error().code, "exec_not_started");
}

TEST_F(Exec, AProgramThatSaysAsMuchHasRun) {
  auto result = must(sh(started(sleeper()), "echo 'not found'; exit 127"));
  EXPECT_EQ(result.exit_code, 127);
}

TEST_F(Exec, ItIsRefusedWhereNothingRuns) {
  EXPECT_EQ(run(sh(create(sleeper()), "true")).error().kind, ErrorKind::conflict);
  EXPECT_EQ(run(sh("no-such-container", "true")).error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace gantry::engine
