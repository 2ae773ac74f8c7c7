#include "async/aside.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "async/testing_fake.hpp"

#include <atomic>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace gantry::async {
namespace {

constexpr Milliseconds plenty{10'000};
constexpr Milliseconds soon{20};

TEST(AsideTest, AnswersWhatTheWorkReturns) {
  EXPECT_EQ(run_test(aside(plenty, "counting", [] { return 42; })), 42);
}

TEST(AsideTest, PassesOnWhatTheWorkThrows) {
  auto failing = []() -> int { throw std::runtime_error{"no"}; };
  EXPECT_THROW(run_test(aside(plenty, "failing", failing)), std::runtime_error);
}

TEST(AsideTest, LeavesBehindWhatHangs) {
  auto gate = std::make_shared<std::promise<void>>();
  auto hanging = [opened = gate->get_future().share()] {
    opened.wait();
    return 1;
  };
  auto answer = run_test(attempt(aside(soon, "waiting for a gate", hanging)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::timed_out);
  gate->set_value();
}

TEST(AsideTest, BeginsNothingAgainWhileItIsOverItsTime) {
  auto gate = std::make_shared<std::promise<void>>();
  auto hanging = [opened = gate->get_future().share()] {
    opened.wait();
    return 1;
  };
  TestLoop loop;
  ASSERT_FALSE(loop.run(attempt(aside(soon, "looking at '/mnt/nas'", hanging))));
  auto look = [&](std::string doing) {
    return loop.run(attempt(aside(plenty, std::move(doing), [] { return 2; })));
  };
  auto again = look("looking at '/mnt/nas'");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::timed_out);
  EXPECT_EQ(again.error().message,
            "looking at '/mnt/nas' was begun before, and has not come to an end yet");
  EXPECT_EQ(look("looking at '/srv'"), 2);
  gate->set_value();
  while (!look("looking at '/mnt/nas'")) loop.run(pause(Milliseconds{1}));
}

task<void> expect_one(task<int> work) { EXPECT_EQ(co_await std::move(work), 1); }

TEST(AsideTest, DoesTheSameTwiceAtOnceWhileThereIsTime) {
  auto count = std::make_shared<std::atomic<int>>(0);
  // Each ends only when the other one has begun.
  auto meeting = [count] {
    for (++*count; *count < 2;) std::this_thread::yield();
    return 1;
  };
  run_test(both(expect_one(aside(plenty, "meeting", meeting)),
                expect_one(aside(plenty, "meeting", meeting))));
}

TEST(AsideTest, DoesNotLeaveBehindEverMore) {
  auto gate = std::make_shared<std::promise<void>>();
  auto hanging = [opened = gate->get_future().share()] {
    opened.wait();
    return 1;
  };
  std::string code;
  TestLoop loop;
  for (std::size_t i = 0; i <= detail::aside_max && code != "too_many_aside"; ++i) {
    auto doing = "waiting at gate " + std::to_string(i);
    code = loop.run(attempt(aside(Milliseconds{1}, doing, hanging))).error().code;
  }
  EXPECT_EQ(code, "too_many_aside");
  gate->set_value();
  // They end by themselves; then there is room again.
  auto look = [&] { return loop.run(attempt(aside(plenty, "looking", [] { return 1; }))); };
  while (!look()) loop.run(pause(Milliseconds{1}));
}

}  // namespace
}  // namespace gantry::async
