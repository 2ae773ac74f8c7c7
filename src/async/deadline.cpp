#include "async/deadline.hpp"

#include "async/race.hpp"
#include "base/error.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace gantry::async {
namespace asio = boost::asio;

task<void> with_deadline(Milliseconds limit, std::string doing, task<void> work) {
  if (co_await race(std::move(work), pause(limit)) == Winner::second) {
    throw Failure{{ErrorKind::timed_out,
                   "timed_out",
                   fmt::format("{} took longer than {} ms", doing, limit.count()),
                   {}}};
  }
}

task<void> pause(Milliseconds duration) {
  asio::steady_timer timer{co_await asio::this_coro::executor, duration};
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace gantry::async
