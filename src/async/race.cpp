#include "async/race.hpp"

#include "async/attempt.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace gantry::async {
namespace asio = boost::asio;
namespace {

task<void> then_wait(task<void> companion) {
  auto ended = co_await attempt(std::move(companion));
  Event never{co_await asio::this_coro::executor};
  for (;;) co_await never.wait();
}

}  // namespace

task<Winner> race(task<void> first, task<void> second) {
  auto executor = co_await asio::this_coro::executor;
  auto both = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, std::move(first), asio::deferred),
      asio::co_spawn(executor, std::move(second), asio::deferred));
  auto [order, first_failure, second_failure] =
      co_await both.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (order[0] == 0) {
    if (first_failure) std::rethrow_exception(first_failure);
    co_return Winner::first;
  }
  // The first may have ended well although it was asked to stop: then nothing was lost.
  if (!first_failure) co_return Winner::first;
  if (!was_cancelled(first_failure)) std::rethrow_exception(first_failure);
  if (second_failure) std::rethrow_exception(second_failure);
  co_return Winner::second;
}

task<void> both(task<void> first, task<void> second) {
  auto executor = co_await asio::this_coro::executor;
  auto group = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, std::move(first), asio::deferred),
      asio::co_spawn(executor, std::move(second), asio::deferred));
  auto [order, first_failure, second_failure] =
      co_await group.async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  const auto& earlier = order[0] == 0 ? first_failure : second_failure;
  const auto& later = order[0] == 0 ? second_failure : first_failure;
  if (earlier) std::rethrow_exception(earlier);
  if (later) std::rethrow_exception(later);
}

task<void> with_companion(task<void> work, task<void> companion) {
  co_await race(std::move(work), then_wait(std::move(companion)));
}

}  // namespace gantry::async
