#include "async/aside.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/testing_fake.hpp"

#include <future>
#include <stdexcept>

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

TEST(AsideTest, DoesNotLeaveBehindEverMore) {
  auto gate = std::make_shared<std::promise<void>>();
  auto hanging = [opened = gate->get_future().share()] {
    opened.wait();
    return 1;
  };
  std::string code;
  TestLoop loop;
  for (int i = 0; i <= detail::aside_max && code != "too_many_aside"; ++i) {
    code = loop.run(attempt(aside(Milliseconds{1}, "waiting", hanging))).error().code;
  }
  EXPECT_EQ(code, "too_many_aside");
  gate->set_value();
  // They end by themselves; then there is room again.
  auto look = [&] { return loop.run(attempt(aside(plenty, "looking", [] { return 1; }))); };
  while (!look()) loop.run(pause(Milliseconds{1}));
}

}  // namespace
}  // namespace gantry::async
