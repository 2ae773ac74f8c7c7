#pragma once

#include "async/event.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "engine/client.hpp"
#include "sandbox/executor.hpp"

#include <optional>
#include <string>

namespace gantry::sandbox {

/// Helps a gantry-init that is kept from the processor. It ends its program in time, but shares a
/// small share of one with it: sixty processes on a tenth of a processor made it up to 18 s late.
/// No priority helps where the group as a whole has used up its share. So a container with less
/// than a processor whose program is overdue by `patience` gets a whole one, for its end.
class Overrun {
 public:
  static constexpr Milliseconds patience{300};

  /// `execution` outlives this.
  Overrun(const async::Executor& executor, engine::Client& engine, const Execution& execution)
      : engine_{engine}, execution_{execution}, changed_{executor} {}
  Overrun(const Overrun&) = delete;
  Overrun& operator=(const Overrun&) = delete;

  /// An observer that tells this of stages, and tells `observer` everything.
  Observer watched(Observer observer);
  /// Runs beside the talk with its gantry-init; ends by itself once it has helped.
  async::task<void> relieve(std::string container);

 private:
  SteadyTime overdue() const;

  engine::Client& engine_;
  const Execution& execution_;
  async::Event changed_;
  std::optional<Stage> stage_;
  SteadyTime began_{};
};

}  // namespace gantry::sandbox
