#include "async/deadline.hpp"

#include "async/attempt.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "base/error.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::async {
namespace {

task<int> answer_after(Milliseconds time) {
  co_await pause(time);
  co_return 42;
}

/// Does not look at its cancellation for a while, then ends as if nothing had been.
task<int> stubborn(Milliseconds time) {
  co_await shielded(pause(time));
  co_return 42;
}

task<int> stubborn_then_waits(Milliseconds time) {
  co_await shielded(pause(time));
  co_await pause(Seconds{10});
  co_return 42;
}

task<void> fails_when_cancelled() {
  auto waited = co_await race(pause(Seconds{10}), pause(Milliseconds{1}));
  if (waited == Winner::second) throw Failure{{ErrorKind::conflict, "own_fault", "cannot", {}}};
}

template <class T>
std::string code_of(task<T> work) {
  auto answer = run_test(attempt(std::move(work)));
  return answer ? "ok" : answer.error().code;
}

TEST(DeadlineTest, WorkInTimeGivesItsAnswer) {
  EXPECT_EQ(run_test(with_deadline(Seconds{5}, "answering", answer_after(Milliseconds{1}))), 42);
}

TEST(DeadlineTest, WorkOutOfTimeIsCancelledAndNamed) {
  auto before = steady_now();
  auto answer = run_test(
      attempt(with_deadline(Milliseconds{5}, "asking the oracle", answer_after(Seconds{10}))));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::timed_out);
  EXPECT_EQ(answer.error().code, "timed_out");
  EXPECT_EQ(answer.error().message, "asking the oracle took longer than 5 ms");
  EXPECT_LT(steady_now() - before, Seconds{5});
}

TEST(DeadlineTest, AnAnswerThatComesLateAllTheSameIsKept) {
  EXPECT_EQ(run_test(with_deadline(Milliseconds{1}, "x", stubborn(Milliseconds{30}))), 42);
}

TEST(DeadlineTest, ItIsAnsweredOnlyWhenTheWorkHasEnded) {
  auto before = steady_now();
  EXPECT_EQ(code_of(with_deadline(Milliseconds{1}, "x", stubborn_then_waits(Milliseconds{30}))),
            "timed_out");
  EXPECT_GE(steady_now() - before, Milliseconds{30});
}

TEST(DeadlineTest, AFailureOfTheWorkIsItsOwn) {
  EXPECT_EQ(code_of(with_deadline(Seconds{5}, "x", fails_when_cancelled())), "own_fault");
}

task<int> nested(Milliseconds outer, Milliseconds inner) {
  co_return co_await with_deadline(outer, "outer",
                                   with_deadline(inner, "inner", answer_after(Seconds{10})));
}

TEST(DeadlineTest, OfNestedDeadlinesTheFirstToPassSpeaks) {
  auto inner = run_test(attempt(nested(Seconds{5}, Milliseconds{5})));
  EXPECT_THAT(inner.error().message, testing::HasSubstr("inner"));
  auto outer = run_test(attempt(nested(Milliseconds{5}, Seconds{5})));
  EXPECT_THAT(outer.error().message, testing::HasSubstr("outer"));
}

task<void> note_how_it_ended(std::string& how, task<int> work) {
  std::exception_ptr failure;
  try {
    how = std::to_string(co_await std::move(work));
  } catch (...) {
    failure = std::current_exception();
    how = was_cancelled(failure) ? "cancelled" : describe(failure).code;
  }
}

task<void> cancel_parent(std::string& how, task<int> work) {
  TaskScope scope{co_await boost::asio::this_coro::executor};
  scope.spawn("parent", note_how_it_ended(how, std::move(work)));
  co_await pause(Milliseconds{5});
  co_await scope.close();
}

TEST(DeadlineTest, ACancelledParentIsNoTimeout) {
  std::string how;
  run_test(cancel_parent(how, with_deadline(Seconds{10}, "x", answer_after(Seconds{10}))));
  EXPECT_EQ(how, "cancelled");
  run_test(cancel_parent(how, nested(Seconds{10}, Seconds{9})));
  EXPECT_EQ(how, "cancelled");
}

task<int> swallow_then_answer() {
  auto waited = co_await attempt(pause(Seconds{10}));
  co_return waited ? 1 : 2;
}

TEST(AttemptTest, CancellationStaysAnException) {
  std::string how;
  run_test(cancel_parent(how, swallow_then_answer()));
  EXPECT_EQ(how, "cancelled");
}

task<int> throw_failure() {
  co_await pause(Milliseconds{0});
  throw Failure{{ErrorKind::denied, "not_you", "cannot do it", "ask"}};
}
task<int> throw_anything() {
  co_await pause(Milliseconds{0});
  throw std::runtime_error{"a bug"};
}
task<Result<int>> refuse() { co_return fail(ErrorKind::not_found, "nothing", "cannot find it"); }

TEST(AttemptTest, FailuresBecomeValues) {
  EXPECT_EQ(run_test(attempt(answer_after(Milliseconds{0}))), 42);
  EXPECT_EQ(run_test(attempt(throw_failure())).error().remedy, "ask");
  EXPECT_EQ(run_test(attempt(throw_anything())).error().kind, ErrorKind::internal);
  EXPECT_EQ(run_test(attempt(refuse())).error().code, "nothing");
}

TEST(AttemptTest, ADeadlineInsideIsAValueNotACancellation) {
  EXPECT_EQ(code_of(with_deadline(Milliseconds{1}, "x", answer_after(Seconds{10}))), "timed_out");
}

task<Winner> race_of(Milliseconds first, Milliseconds second) {
  co_return co_await race(pause(first), pause(second));
}

TEST(RaceTest, TheFirstToEndWinsAndTheOtherIsStopped) {
  auto before = steady_now();
  EXPECT_EQ(run_test(race_of(Milliseconds{1}, Seconds{10})), Winner::first);
  EXPECT_EQ(run_test(race_of(Seconds{10}, Milliseconds{1})), Winner::second);
  EXPECT_LT(steady_now() - before, Seconds{5});
}

task<void> fail_now() {
  co_await pause(Milliseconds{1});
  throw std::runtime_error{"broken"};
}

TEST(RaceTest, AFailureOfTheWinnerIsTheAnswer) {
  EXPECT_THROW(run_test(race(fail_now(), pause(Seconds{10}))), std::runtime_error);
  EXPECT_THROW(run_test(race(pause(Seconds{10}), fail_now())), std::runtime_error);
}

TEST(RaceTest, ACompanionThatFailsDoesNotEndTheWork) {
  run_test(with_companion(pause(Milliseconds{20}), fail_now()));
}

TEST(RaceTest, ACompanionEndsWithTheWork) {
  auto before = steady_now();
  run_test(with_companion(pause(Milliseconds{1}), pause(Seconds{10})));
  EXPECT_LT(steady_now() - before, Seconds{5});
}

}  // namespace
}  // namespace gantry::async
