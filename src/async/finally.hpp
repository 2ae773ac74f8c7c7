#pragma once

#include <boost/asio/this_coro.hpp>

#include <exception>
#include <optional>

#include "async/scope.hpp"
#include "async/task.hpp"

namespace gantry::async {

/// Runs `work`, then `cleanup` on every path: success, failure and cancellation. The clean-up
/// itself is not interrupted by a cancellation; it carries its own deadline.
template <class T>
task<T> finally(task<T> work, task<void> cleanup) {
  std::exception_ptr failure;
  std::optional<T> value;
  try {
    value.emplace(co_await std::move(work));
  } catch (...) {
    failure = std::current_exception();
  }
  // A cancelled coroutine throws at its next co_await, before what it awaits has even begun.
  auto before = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_await shielded(std::move(cleanup));
  co_await boost::asio::this_coro::throw_if_cancelled(before);
  if (failure) std::rethrow_exception(failure);
  co_return std::move(*value);
}

}  // namespace gantry::async
