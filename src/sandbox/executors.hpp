#pragma once

#include "sandbox/executor.hpp"
#include "sandbox/local_executor.hpp"

#include <functional>

namespace gantry::sandbox {

/// Chooses between the engine's containers and this machine's own sandboxes, as each execution
/// asks. Who asks for one gets that one or an error, never the other.
class Executors final : public Executor {
 public:
  /// `engine_answers`: whether containers can be had now. `local` may be absent: switched off.
  Executors(Executor& docker, LocalExecutor* local, std::function<bool()> engine_answers);

  async::task<Outcome> execute(Execution execution, Observer observer) override;
  async::task<void> maintain() override;

 private:
  /// Whether ExecutorChoice::automatic ends at the local one.
  bool falls_back(const Execution& execution) const;
  static async::task<void> keep_maintained(Executor& one);

  Executor& docker_;
  LocalExecutor* local_;
  std::function<bool()> engine_answers_;
};

}  // namespace gantry::sandbox
