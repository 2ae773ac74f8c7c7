#include "sandbox/executors.hpp"

#include "async/race.hpp"

namespace gantry::sandbox {

Executors::Executors(Executor& docker, LocalExecutor* local, std::function<bool()> engine_answers)
    : docker_{docker}, local_{local}, engine_answers_{std::move(engine_answers)} {}

async::task<Outcome> Executors::execute(Execution execution, Observer observer) {
  bool local = execution.executor == ExecutorChoice::local ||
               (execution.executor == ExecutorChoice::automatic && falls_back(execution));
  if (!local) co_return co_await docker_.execute(std::move(execution), std::move(observer));
  if (local_ != nullptr) {
    co_return co_await local_->execute(std::move(execution), std::move(observer));
  }
  Outcome outcome;
  outcome.message =
      "cannot run a program outside of containers: the local executor is not used here; start "
      "the server with 'local_executor = true' in gantry.toml, or ask for executor 'docker'";
  outcome.error_code = "no_local_executor";
  co_return outcome;
}

bool Executors::falls_back(const Execution& execution) const {
  return local_ != nullptr && !engine_answers_() && local_->check(execution).has_value();
}

async::task<void> Executors::maintain() {
  if (local_ == nullptr) co_return co_await docker_.maintain();
  co_await async::both(docker_.maintain(), local_->maintain());
}

}  // namespace gantry::sandbox
