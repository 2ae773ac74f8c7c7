#include "async/scope.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "async/race.hpp"
#include "async/testing_fake.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::async {
namespace {

/// What happened, in order.
using Story = std::vector<std::string>;

task<void> nap_and_tell(Story& story, std::string name, Milliseconds time) {
  co_await pause(time);
  story.push_back(name);
}

task<void> fail_at_once(std::string words) {
  co_await pause(Milliseconds{0});
  throw std::runtime_error{words};
}

/// Can not be stopped for `time`.
task<void> stop_slowly(Story& story, Milliseconds time) {
  co_await shielded(pause(time));
  story.push_back("stopped");
}

/// Runs `work` in a scope and cancels it after `time`; `ended` when it has ended.
task<void> cancel_after(Milliseconds time, task<void> work, Story& story) {
  TaskScope scope{co_await boost::asio::this_coro::executor};
  scope.spawn("work", std::move(work));
  co_await pause(time);
  co_await scope.close();
  story.push_back("ended");
}

task<Story> spawn_three() {
  Story story;
  TaskScope scope{co_await boost::asio::this_coro::executor};
  scope.spawn("slow", nap_and_tell(story, "slow", Milliseconds{20}));
  scope.spawn("fast", nap_and_tell(story, "fast", Milliseconds{1}));
  scope.spawn("failing", fail_at_once("on purpose"));
  EXPECT_EQ(scope.size(), 3U);
  co_await scope.join();
  co_return story;
}

TEST(TaskScopeTest, JoinWaitsForAllAndAFailureHarmsNobodyElse) {
  EXPECT_THAT(run_test(spawn_three()), testing::ElementsAre("fast", "slow"));
}

TEST(TaskScopeTest, CloseEndsWhatWaits) {
  Story story;
  auto before = steady_now();
  run_test(cancel_after(Milliseconds{1}, nap_and_tell(story, "slept", Seconds{10}), story));
  EXPECT_THAT(story, testing::ElementsAre("ended"));
  EXPECT_LT(steady_now() - before, Seconds{5});
}

TEST(TaskScopeTest, CloseWaitsForOneWhoStopsSlowly) {
  Story story;
  run_test(cancel_after(Milliseconds{1}, stop_slowly(story, Milliseconds{20}), story));
  EXPECT_THAT(story, testing::ElementsAre("stopped", "ended"));
}

task<void> spawn_after_close(Story& story) {
  TaskScope scope{co_await boost::asio::this_coro::executor};
  co_await scope.close();
  scope.spawn("late", nap_and_tell(story, "late", Seconds{10}));
  co_await scope.join();
}

TEST(TaskScopeTest, WhatIsSpawnedAfterCloseIsCancelledAtOnce) {
  Story story;
  auto before = steady_now();
  run_test(spawn_after_close(story));
  EXPECT_TRUE(story.empty());
  EXPECT_LT(steady_now() - before, Seconds{5});
}

task<void> cancel_only(Story& story) {
  TaskScope scope{co_await boost::asio::this_coro::executor};
  for (int i = 0; i < 10; ++i) scope.spawn("one", nap_and_tell(story, "slept", Seconds{10}));
  scope.cancel();
  co_await scope.join();
  story.push_back("all ended");
}

TEST(TaskScopeTest, CancelReachesEveryTask) {
  Story story;
  run_test(cancel_only(story));
  EXPECT_THAT(story, testing::ElementsAre("all ended"));
}

TEST(TaskScopeDeathTest, ForgettingToCloseIsABug) {
  TestLoop loop;
  EXPECT_DEATH(
      {
        TaskScope scope{loop.executor()};
        scope.spawn("forgotten", pause(Seconds{1}));
      },
      "children_.empty");
}

task<void> work_then_clean(Story& story, Milliseconds time) {
  co_await nap_and_tell(story, "worked", time);
}

task<void> clean(Story& story) {
  story.push_back("cleaning");
  co_await pause(Milliseconds{10});
  story.push_back("cleaned");
}

task<int> work_for_value(Story& story, Milliseconds time) {
  co_await nap_and_tell(story, "worked", time);
  co_return 7;
}

task<int> fail_for_value() {
  co_await fail_at_once("on purpose");
  co_return 0;
}

task<void> finally_value(Story& story, Milliseconds time) {
  auto value = co_await finally(work_for_value(story, time), clean(story));
  story.push_back(std::to_string(value));
}

task<void> finally_failure(Story& story) {
  (void)co_await finally(fail_for_value(), clean(story));
  story.push_back("not reached");
}

TEST(FinallyTest, CleansAfterSuccess) {
  Story story;
  run_test(finally_value(story, Milliseconds{1}));
  EXPECT_THAT(story, testing::ElementsAre("worked", "cleaning", "cleaned", "7"));
}

TEST(FinallyTest, CleansAfterFailureAndPassesItOn) {
  Story story;
  EXPECT_THROW(run_test(finally_failure(story)), std::runtime_error);
  EXPECT_THAT(story, testing::ElementsAre("cleaning", "cleaned"));
}

TEST(FinallyTest, CleansToTheEndAfterACancellation) {
  Story story;
  run_test(cancel_after(Milliseconds{1}, finally_value(story, Seconds{10}), story));
  EXPECT_THAT(story, testing::ElementsAre("cleaning", "cleaned", "ended"));
}

TEST(FinallyTest, ACancellationDuringTheCleaningDoesNotStopIt) {
  Story story;
  run_test(cancel_after(Milliseconds{5}, finally_value(story, Milliseconds{0}), story));
  EXPECT_THAT(story, testing::ElementsAre("worked", "cleaning", "cleaned", testing::_, "ended"));
}

task<void> finally_without_value(Story& story, Milliseconds time) {
  co_await finally(work_then_clean(story, time), clean(story));
}

TEST(FinallyTest, WorkWithoutAValueIsCleanedAfterToo) {
  Story story;
  run_test(cancel_after(Milliseconds{1}, finally_without_value(story, Seconds{10}), story));
  EXPECT_THAT(story, testing::ElementsAre("cleaning", "cleaned", "ended"));
}

task<void> shield(Story& story) {
  co_await shielded(nap_and_tell(story, "done", Milliseconds{20}));
  story.push_back("answered");
  co_await pause(Seconds{10});
}

TEST(ShieldedTest, TheWorkEndsAlthoughItsCallerIsCancelled) {
  Story story;
  run_test(cancel_after(Milliseconds{1}, shield(story), story));
  EXPECT_THAT(story, testing::ElementsAre("done", "answered", "ended"));
}

TEST(ShieldedTest, AFailureIsPassedOn) {
  EXPECT_THROW(run_test(shielded(fail_at_once("on purpose"))), std::runtime_error);
}

}  // namespace
}  // namespace gantry::async
