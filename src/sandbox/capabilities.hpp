#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "sandbox/policy.hpp"

#include <string>
#include <vector>

namespace gantry::sandbox {

/// What of a policy one engine can keep. What it can not is refused, never softened.
class Capabilities {
 public:
  explicit Capabilities(engine::Client& engine) : engine_{engine} {}

  /// Refuses with `filesystem_not_available` or `runtime_not_available`; networks are Outbound's.
  /// Asks the engine, at most once a minute, only about what differs from the usual.
  async::task<Result<>> check(const Policy& policy);

 private:
  async::task<Result<>> check_runtime(std::string name);

  engine::Client& engine_;
  std::vector<std::string> runtimes_;
  SteadyTime asked_at_;
};

}  // namespace gantry::sandbox
