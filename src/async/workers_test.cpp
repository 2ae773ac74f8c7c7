#include "async/workers.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>

#include <boost/asio/this_coro.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::async {
namespace {

TEST(WorkersTest, WorkRunsElsewhereAndItsAnswerComesBack) {
  TestLoop loop;
  Workers workers{1, 10};
  auto id = loop.run(workers.run([] { return std::this_thread::get_id(); }));
  EXPECT_NE(id, std::this_thread::get_id());
}

TEST(WorkersTest, AnExceptionComesBackAsItWas) {
  TestLoop loop;
  Workers workers{1, 10};
  EXPECT_THROW(loop.run(workers.run([] { throw std::invalid_argument{"x"}; })),
               std::invalid_argument);
  EXPECT_THROW(loop.run(workers.run([]() -> int { throw std::invalid_argument{"x"}; })),
               std::invalid_argument);
  EXPECT_EQ(loop.run(workers.run([] { return 1; })), 1);
}

task<void> work_and_count(Workers& workers, std::atomic<int>& running, int& most, int& refused) {
  auto done = co_await attempt(workers.run([&] {
    auto now = ++running;
    std::this_thread::sleep_for(Milliseconds{2});
    --running;
    return now;
  }));
  if (done) most = std::max(most, *done);
  if (!done && done.error().code == "workers_busy") ++refused;
}

struct Counted {
  int most = 0;
  int refused = 0;
};

task<Counted> crowd(Workers& workers, int size) {
  TaskScope scope{co_await boost::asio::this_coro::executor};
  std::atomic<int> running = 0;
  Counted counted;
  for (int i = 0; i < size; ++i) {
    scope.spawn("work", work_and_count(workers, running, counted.most, counted.refused));
  }
  co_await scope.join();
  co_return counted;
}

TEST(WorkersTest, NoMoreRunAtOnceThanThereAreThreads) {
  TestLoop loop;
  Workers workers{2, 100};
  auto counted = loop.run(crowd(workers, 20));
  EXPECT_EQ(counted.most, 2);
  EXPECT_EQ(counted.refused, 0);
}

TEST(WorkersTest, MoreThanTheQueueHoldsAreRefused) {
  TestLoop loop;
  Workers workers{1, 5};
  EXPECT_EQ(loop.run(crowd(workers, 20)).refused, 15);
  EXPECT_EQ(loop.run(crowd(workers, 5)).refused, 0);
}

task<void> work_slowly(Workers& workers, bool& local_used) {
  co_await workers.run([&] {
    std::this_thread::sleep_for(Milliseconds{30});
    local_used = true;
  });
}

task<bool> cancel_work(Workers& workers) {
  TaskScope scope{co_await boost::asio::this_coro::executor};
  bool local_used = false;
  scope.spawn("work", work_slowly(workers, local_used));
  co_await pause(Milliseconds{5});
  co_await scope.close();
  co_return local_used;
}

TEST(WorkersTest, ACancelledCallerWaitsSoThatItsLocalsMayBeUsed) {
  TestLoop loop;
  Workers workers{1, 5};
  EXPECT_TRUE(loop.run(cancel_work(workers)));
}

TEST(WorkersTest, ADeadlineDoesNotInterruptBlockingWorkButKeepsItsAnswer) {
  TestLoop loop;
  Workers workers{1, 5};
  auto answer = loop.run(with_deadline(Milliseconds{1}, "x", workers.run([] {
    std::this_thread::sleep_for(Milliseconds{30});
    return 7;
  })));
  EXPECT_EQ(answer, 7);
}

}  // namespace
}  // namespace gantry::async
