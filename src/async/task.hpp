#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

/// Structured concurrency on one event-loop thread: every coroutine is awaited by its caller or
/// owned by a TaskScope, every wait has a deadline, every queue a bound.
namespace gantry::async {

/// What our coroutines return. A coroutine is a named function, never a capturing lambda; one that
/// is spawned takes values, one that is awaited on the spot may take references.
template <class T = void>
using task = boost::asio::awaitable<T>;

using Executor = boost::asio::any_io_executor;

}  // namespace gantry::async
