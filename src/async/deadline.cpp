#include "async/deadline.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/attempt.hpp"
#include "base/error.hpp"

namespace gantry::async {
namespace asio = boost::asio;

task<void> with_deadline(Milliseconds limit, std::string doing, task<void> work) {
  auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer{executor, limit};
  // Whichever ends first cancels the other; both have ended when the group answers.
  auto both = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, std::move(work), asio::deferred),
      timer.async_wait(asio::deferred));
  auto [order, failure, timer_error] =
      co_await both.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (!failure) co_return;
  if (!timer_error && was_cancelled(failure)) {
    throw Failure{{ErrorKind::timed_out, "timed_out",
                   fmt::format("{} took longer than {} ms", doing, limit.count()), {}}};
  }
  std::rethrow_exception(failure);
}

task<void> pause(Milliseconds duration) {
  asio::steady_timer timer{co_await asio::this_coro::executor, duration};
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace gantry::async
