#pragma once

#include "async/task.hpp"

#include <boost/asio/steady_timer.hpp>

namespace gantry::async {

/// Something that happens and that coroutines of the loop wait for. Not thread-safe.
class Event {
 public:
  explicit Event(const Executor& executor);

  /// Wakes everybody who waits now.
  void notify();
  /// Returns at the next `notify`; throws when the waiting coroutine is cancelled.
  task<void> wait();
  /// As `wait`, but a cancellation does not end it: for joins and clean-up.
  /// The caller holds `throw_if_cancelled(false)` (see TaskScope).
  task<void> wait_through_cancellation();

 private:
  boost::asio::steady_timer timer_;
};

}  // namespace gantry::async
