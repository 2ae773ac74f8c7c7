#pragma once

#include "async/event.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "sandbox/executor.hpp"

#include <functional>
#include <optional>

namespace gantry::sandbox {

/// Helps a gantry-init that is kept from the processor. It ends its program in time, but shares a
/// small share of one with it: sixty processes on a tenth of a processor made it up to 18 s late.
/// No priority helps where the group as a whole has used up its share. So a sandbox with less than
/// a processor whose program is overdue by `patience` gets `enough_cpus`, for its end.
class Overrun {
 public:
  static constexpr Milliseconds patience{300};
  static constexpr double enough_cpus = 1.0;
  using Help = std::function<async::task<Result<>>()>;

  /// `execution` outlives this. `help` gives its sandbox enough processors.
  Overrun(const async::Executor& executor, const Execution& execution, Help help)
      : execution_{execution}, help_{std::move(help)}, changed_{executor} {}
  Overrun(const Overrun&) = delete;
  Overrun& operator=(const Overrun&) = delete;

  /// An observer that tells this of stages, and tells `observer` everything.
  Observer watched(Observer observer);
  /// Runs beside the talk with its gantry-init; ends by itself once it has helped.
  async::task<void> relieve();

 private:
  SteadyTime overdue() const;

  const Execution& execution_;
  Help help_;
  async::Event changed_;
  std::optional<Stage> stage_;
  SteadyTime began_{};
};

}  // namespace gantry::sandbox
