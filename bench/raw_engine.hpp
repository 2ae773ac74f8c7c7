#pragma once

#include "engine/containers.hpp"
#include "sandbox/images.hpp"
#include "sandbox/slots.hpp"
#include "service.hpp"

#include <map>
#include <string>

namespace gantry::bench {

/// The engine's own calls, with the settings our sandboxes have.
class RawEngine {
 public:
  RawEngine(async::Executor executor, engine::Client& engine)
      : executor_{std::move(executor)}, engine_{engine} {}

  /// Finds the workload's image; before anything else.
  async::task<void> prepare(const Workload& work);
  /// The create body of a sandbox, starting what the workload starts: gantry-init would wait for a
  /// server.
  engine::ContainerSpec spec_of(const Workload& work, int user) const;
  /// Creates, starts, waits for the end, removes.
  async::task<void> run(const Workload& work);
  engine::Client& client() { return engine_; }
  sandbox::Slots& slots() { return slots_; }

 private:
  async::Executor executor_;
  engine::Client& engine_;
  std::map<std::string, sandbox::ServedImage> images_;
  std::string volume_;
  sandbox::Slots slots_;
};

}  // namespace gantry::bench
