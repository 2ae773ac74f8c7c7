#pragma once

#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"

#include <optional>

namespace gantry::async {

/// Runs `work` and cancels it when `limit` has passed. Answers only when the work has ended.
/// Throws Failure of kind timed_out; `doing` completes "… took longer than N ms".
task<void> with_deadline(Milliseconds limit, std::string doing, task<void> work);

template <class T>
task<T> with_deadline(Milliseconds limit, std::string doing, task<T> work) {
  std::optional<T> value;
  co_await with_deadline(limit, std::move(doing), detail::keep(std::move(work), value));
  co_return std::move(*value);
}

/// Do nothing for a while; throws when cancelled.
task<void> pause(Milliseconds duration);

}  // namespace gantry::async
