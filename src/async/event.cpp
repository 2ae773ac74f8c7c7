#include "async/event.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace gantry::async {
namespace asio = boost::asio;

Event::Event(const Executor& executor) : timer_{executor, asio::steady_timer::time_point::max()} {}

void Event::notify() { timer_.cancel(); }

task<void> Event::wait() {
  boost::system::error_code woken;  // operation_aborted: by notify or by our own cancellation
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none &&
      co_await asio::this_coro::throw_if_cancelled()) {
    throw boost::system::system_error{asio::error::operation_aborted};
  }
}

task<void> Event::wait_through_cancellation() {
  boost::system::error_code woken;
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

}  // namespace gantry::async
