#pragma once

#include "async/event.hpp"
#include "async/race.hpp"
#include "base/clock.hpp"
#include "sandbox/removal.hpp"
#include "sandbox/session.hpp"
#include "sandbox/warmth.hpp"

#include <memory>

namespace gantry::sandbox {

/// What of a policy the engine can change while a container lives.
struct Resources {
  Bytes memory;
  double cpus = 0;
  int pids = 0;
  bool operator==(const Resources&) const = default;
};
inline Resources resources_of(const Policy& policy) {
  return {policy.memory, policy.cpus, policy.pids};
}

/// A container that is up and waits for its program: one box, one program, whatever becomes of it.
struct Box {
  Box(const async::Executor& executor, engine::AttachedStream stream)
      : session{std::move(stream)}, wanted{executor}, changed{executor} {}

  Lease lease;
  WarmClass warm_class;
  Resources resources;
  SteadyTime made_at;
  WallTime deadline;  ///< When other servers may take it for left behind.
  InitSession session;

  // While it waits somebody listens whether it still lives; who takes it ends that first.
  async::StopSignal wanted;
  async::Event changed;
  bool watched = false;
  bool died = false;
};
// Owned by its shelf or its run, and by the watch that may outlive both for a moment.
using BoxPtr = std::shared_ptr<Box>;

}  // namespace gantry::sandbox
