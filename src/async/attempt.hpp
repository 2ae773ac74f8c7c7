#pragma once

#include "async/task.hpp"
#include "base/error.hpp"

#include <exception>
#include <optional>

#include <boost/asio/this_coro.hpp>

namespace gantry::async {

/// What a thrown failure means: Failure keeps its Error, errors of the system become `unavailable`,
/// anything else `internal`.
Error describe(const std::exception_ptr& failure);
/// Whether it is the exception by which a cancelled coroutine ends.
bool was_cancelled(const std::exception_ptr& failure);
/// Rethrows `failure` when the running coroutine itself has been cancelled.
task<void> rethrow_if_cancelled(std::exception_ptr failure);

template <class T>
struct Unwrapped {
  using type = Result<T>;
};
template <class T>
struct Unwrapped<Result<T>> {
  using type = Result<T>;
};

/// A failed piece of work becomes a value; being cancelled stays an exception.
/// Work that already answers a Result keeps its shape.
template <class T>
task<typename Unwrapped<T>::type> attempt(task<T> work) {
  std::exception_ptr failure;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(work);
      co_return ok;
    } else {
      co_return co_await std::move(work);
    }
  } catch (...) {
    failure = std::current_exception();  // co_await is not allowed inside a handler
  }
  co_await rethrow_if_cancelled(failure);
  co_return std::unexpected{describe(failure)};
}

}  // namespace gantry::async
