#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>

namespace gantry {

using Milliseconds = std::chrono::milliseconds;
using Microseconds = std::chrono::microseconds;
using Seconds = std::chrono::seconds;
/// Civil time in UTC, to the millisecond: what is stored and shown.
using WallTime = std::chrono::sys_time<Milliseconds>;
/// Monotonic time: what durations are measured with.
using SteadyTime = std::chrono::steady_clock::time_point;

/// The only door to the time of day. Copyable; tests pass their own source.
class Clock {
 public:
  using Source = std::function<WallTime()>;

  /// The machine's clock.
  Clock();
  explicit Clock(Source source) : source_{std::move(source)} {}
  WallTime now() const { return source_(); }

 private:
  Source source_;
};

/// Monotonic time, which no test needs to fake: deadlines run on timers.
SteadyTime steady_now();

/// `2026-11-21T23:51:41.123Z` (RFC 3339).
std::string rfc3339(WallTime time);

}  // namespace gantry
