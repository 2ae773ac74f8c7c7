#include "async/channel.hpp"

#include "async/backoff.hpp"
#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"

#include <boost/asio/this_coro.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::async {
namespace {

task<void> send_all(Channel<int>& channel, int count, int& sent) {
  for (int i = 0; i < count; ++i) {
    if (!co_await channel.send(i)) co_return;
    ++sent;
  }
  channel.close();
}

task<std::vector<int>> through(std::size_t capacity, int count) {
  auto executor = co_await boost::asio::this_coro::executor;
  Channel<int> channel{executor, capacity};
  TaskScope scope{executor};
  int sent = 0;
  scope.spawn("sender", send_all(channel, count, sent));
  std::vector<int> received;
  while (auto item = co_await channel.receive()) {
    received.push_back(*item);
    EXPECT_LE(channel.size(), capacity);
  }
  co_await scope.join();
  co_return received;
}

TEST(ChannelTest, ItemsComeInOrderThroughABoundedQueue) {
  auto received = run_test(through(3, 100));
  ASSERT_EQ(received.size(), 100U);
  EXPECT_TRUE(std::ranges::is_sorted(received));
}

TEST(ChannelTest, AFullOneTakesNoMore) {
  TestLoop loop;
  Channel<int> channel{loop.executor(), 2};
  EXPECT_TRUE(channel.try_send(1));
  EXPECT_TRUE(channel.try_send(2));
  EXPECT_FALSE(channel.try_send(3));
  EXPECT_EQ(loop.run(channel.receive()), 1);
  EXPECT_TRUE(channel.try_send(3));
}

TEST(ChannelTest, AClosedOneIsDrainedThenEmpty) {
  TestLoop loop;
  Channel<int> channel{loop.executor(), 2};
  ASSERT_TRUE(channel.try_send(1));
  channel.close();
  EXPECT_FALSE(channel.try_send(2));
  EXPECT_EQ(loop.run(channel.receive()), 1);
  EXPECT_EQ(loop.run(channel.receive()), std::nullopt);
}

task<int> close_under_sender() {
  auto executor = co_await boost::asio::this_coro::executor;
  Channel<int> channel{executor, 2};
  TaskScope scope{executor};
  int sent = 0;
  scope.spawn("sender", send_all(channel, 100, sent));
  co_await pause(Milliseconds{5});
  channel.close();
  co_await scope.join();
  co_return sent;
}

TEST(ChannelTest, ASenderThatWaitsIsWokenByClose) { EXPECT_EQ(run_test(close_under_sender()), 2); }

task<void> take_one(Channel<int>& channel, int& taken) {
  if (co_await channel.receive()) ++taken;
}

task<int> share(int items, int takers) {
  auto executor = co_await boost::asio::this_coro::executor;
  Channel<int> channel{executor, 10};
  TaskScope scope{executor};
  int taken = 0;
  for (int i = 0; i < takers; ++i) scope.spawn("taker", take_one(channel, taken));
  for (int i = 0; i < items; ++i) EXPECT_TRUE(channel.try_send(i));
  co_await pause(Milliseconds{5});
  co_await scope.close();
  co_return taken;
}

TEST(ChannelTest, EveryItemIsTakenOnceByManyReceivers) { EXPECT_EQ(run_test(share(5, 8)), 5); }

TEST(BackoffTest, WaitsDoubleUpToTheLongestWithAQuarterOfJitter) {
  Backoff backoff{Milliseconds{100}, Milliseconds{1'000}};
  for (int expected : {100, 200, 400, 800, 1'000, 1'000}) {
    auto wait = backoff.next();
    EXPECT_GE(wait, Milliseconds{expected});
    EXPECT_LE(wait, Milliseconds{expected + expected / 4});
  }
  backoff.reset();
  EXPECT_LE(backoff.next(), Milliseconds{125});
}

}  // namespace
}  // namespace gantry::async
