#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "net/stream.hpp"

#include <memory>

namespace gantry::net {

/// Closes a stream when one phase of its use lasts too long, so that the pending read or write
/// fails. Instead of async::with_deadline, because a connection has several phases per request:
/// moving on to the next one is a store, the timer is only set anew when it has to fire earlier.
class Watchdog {
 public:
  /// `stream` must outlive the watchdog.
  Watchdog(const async::Executor& executor, Stream& stream);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// A phase begins that may last for `limit`; zero: as long as it likes.
  void allow(Milliseconds limit);
  /// No phase is running.
  void rest();
  /// Whether it closed the stream.
  bool expired() const;

 private:
  struct State;
  static void arm(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;  // also the timer's handler, which may run after our end
};

}  // namespace gantry::net
