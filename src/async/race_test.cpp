#include "async/race.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"

#include <string>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <gmock/gmock.h>

namespace gantry::async {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Log = std::vector<std::string>;

Failure failure(std::string code) {
  return Failure{{ErrorKind::unavailable, std::move(code), "", ""}};
}

task<void> at_once(Log& log, std::string name) {
  log.push_back(std::move(name));
  co_return;
}

task<void> after(Milliseconds wait, Log& log, std::string name) {
  co_await pause(wait);
  log.push_back(std::move(name));
}

task<void> fail_after(Milliseconds wait, std::string code) {
  co_await pause(wait);
  throw failure(std::move(code));
}

task<void> for_ever() {
  Event never{co_await boost::asio::this_coro::executor};
  for (;;) co_await never.wait();
}

/// Ends well although it is asked to stop.
task<void> stubborn(Log& log, std::string name) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  Event never{co_await boost::asio::this_coro::executor};
  co_await never.wait();
  log.push_back(std::move(name));
  co_await boost::asio::this_coro::throw_if_cancelled(true);
}

/// Notices the cancellation, and fails in its own way.
task<void> fails_when_stopped(std::string code) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  Event never{co_await boost::asio::this_coro::executor};
  co_await never.wait();
  throw failure(std::move(code));
}

std::string code_of(task<Winner> work) {
  auto answer = run_test(attempt(std::move(work)));
  return answer ? "no failure" : answer.error().code;
}

TEST(RaceTest, TheFirstToEndWinsAndTheOtherIsStopped) {
  Log log;
  EXPECT_EQ(run_test(race(after(Milliseconds{1}, log, "quick"), for_ever())), Winner::first);
  EXPECT_EQ(run_test(race(for_ever(), after(Milliseconds{1}, log, "quick"))), Winner::second);
  EXPECT_THAT(log, ElementsAre("quick", "quick"));
}

TEST(RaceTest, TheOneThatIsStoppedHasEndedWhenTheRaceAnswers) {
  Log log;
  run_test(race(after(Milliseconds{1}, log, "quick"), stubborn(log, "stopped")));
  EXPECT_THAT(log, ElementsAre("quick", "stopped"));
}

TEST(RaceTest, WorkThatNeverWaitsMayWin) {
  Log log;
  EXPECT_EQ(run_test(race(at_once(log, "first"), for_ever())), Winner::first);
  EXPECT_EQ(run_test(race(for_ever(), at_once(log, "second"))), Winner::second);
}

TEST(RaceTest, AFirstThatEndsWellAfterAllHasWon) {
  Log log;
  EXPECT_EQ(run_test(race(stubborn(log, "kept"), after(Milliseconds{1}, log, "limit"))),
            Winner::first);
}

TEST(RaceTest, AWinnersFailureIsPassedOn) {
  EXPECT_EQ(code_of(race(fail_after(Milliseconds{1}, "first"), for_ever())), "first");
  EXPECT_EQ(code_of(race(for_ever(), fail_after(Milliseconds{1}, "second"))), "second");
}

TEST(RaceTest, WhatTheFirstSaysWhenItIsStoppedIsNotLost) {
  Log log;
  EXPECT_EQ(code_of(race(fails_when_stopped("broken"), after(Milliseconds{1}, log, "limit"))),
            "broken");
}

TEST(RaceTest, WhatTheSecondSaysWhenItIsStoppedIsDropped) {
  Log log;
  EXPECT_EQ(run_test(race(after(Milliseconds{1}, log, "work"), fails_when_stopped("late"))),
            Winner::first);
}

task<void> cancelled_from_outside(Log& log) {
  TaskScope scope{co_await boost::asio::this_coro::executor};
  scope.spawn("race", with_companion(stubborn(log, "first"), stubborn(log, "second")));
  co_await pause(Milliseconds{1});
  co_await scope.close();
}

TEST(RaceTest, ACancellationReachesBoth) {
  Log log;
  run_test(cancelled_from_outside(log));
  EXPECT_THAT(log, testing::UnorderedElementsAre("first", "second"));
}

TEST(CompanionTest, ItIsStoppedWhenTheWorkHasEnded) {
  Log log;
  run_test(with_companion(after(Milliseconds{1}, log, "work"), stubborn(log, "companion")));
  EXPECT_THAT(log, ElementsAre("work", "companion"));
}

TEST(CompanionTest, ItsOwnEndChangesNothing) {
  Log log;
  run_test(with_companion(after(Milliseconds{5}, log, "work"), at_once(log, "companion")));
  EXPECT_THAT(log, ElementsAre("companion", "work"));
}

TEST(CompanionTest, ItsFailureChangesNothing) {
  Log log;
  run_test(with_companion(after(Milliseconds{5}, log, "work"),
                          fail_after(Milliseconds{1}, "broken pipe")));
  EXPECT_THAT(log, ElementsAre("work"));
}

task<void> aborted() {
  throw boost::system::system_error{boost::asio::error::operation_aborted};
  co_return;
}

TEST(CompanionTest, AClosedConnectionIsNoCancellation) {
  Log log;
  run_test(with_companion(after(Milliseconds{5}, log, "work"), aborted()));
  EXPECT_THAT(log, ElementsAre("work"));
}

TEST(CompanionTest, TheWorksFailureIsPassedOn) {
  auto ended = run_test(attempt(with_companion(fail_after(Milliseconds{1}, "work"), for_ever())));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, "work");
}

task<void> wait_for(StopSignal& stop, Log& log) {
  co_await stop.wait();
  log.emplace_back("stopped");
}

task<void> stop_while_waiting(Log& log) {
  StopSignal stop{co_await boost::asio::this_coro::executor};
  TaskScope scope{co_await boost::asio::this_coro::executor};
  scope.spawn("waiter", wait_for(stop, log));
  co_await pause(Milliseconds{1});
  EXPECT_THAT(log, IsEmpty());
  stop.stop();
  co_await scope.join();
}

TEST(StopSignalTest, WakesWhoWaits) {
  Log log;
  run_test(stop_while_waiting(log));
  EXPECT_THAT(log, ElementsAre("stopped"));
}

task<void> wait_after_stop(Log& log) {
  StopSignal stop{co_await boost::asio::this_coro::executor};
  stop.stop();
  EXPECT_TRUE(stop.stopped());
  co_await wait_for(stop, log);
  co_await wait_for(stop, log);
}

TEST(StopSignalTest, StaysMade) {
  Log log;
  run_test(wait_after_stop(log));
  EXPECT_THAT(log, ElementsAre("stopped", "stopped"));
}

}  // namespace
}  // namespace gantry::async
