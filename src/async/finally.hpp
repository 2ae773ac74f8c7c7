#pragma once

#include "async/scope.hpp"
#include "async/task.hpp"

#include <exception>
#include <optional>
#include <type_traits>
#include <variant>

#include <boost/asio/this_coro.hpp>

namespace gantry::async {

namespace detail {
/// Runs `cleanup` shielded; what it throws, if anything.
task<std::exception_ptr> failure_of(task<void> cleanup);
}  // namespace detail

/// Runs `work`, then `cleanup` on every path: success, failure and cancellation. The clean-up
/// itself is not interrupted by a cancellation; it carries its own deadline. Of two failures the
/// work's is passed on.
template <class T>
task<T> finally(task<T> work, task<void> cleanup) {
  namespace this_coro = boost::asio::this_coro;
  std::exception_ptr failure;
  std::conditional_t<std::is_void_v<T>, std::monostate, std::optional<T>> value;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(work);
    } else {
      value.emplace(co_await std::move(work));
    }
  } catch (...) {
    failure = std::current_exception();
  }
  // A cancelled coroutine throws at its next co_await, which would be the one that cleans up.
  auto throwing = co_await this_coro::throw_if_cancelled();
  co_await this_coro::throw_if_cancelled(false);
  auto cleanup_failure = co_await detail::failure_of(std::move(cleanup));
  co_await this_coro::throw_if_cancelled(throwing);
  if (failure) std::rethrow_exception(failure);
  if (cleanup_failure) std::rethrow_exception(cleanup_failure);
  if constexpr (!std::is_void_v<T>) co_return std::move(*value);
}

}  // namespace gantry::async
