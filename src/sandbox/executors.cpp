#include "sandbox/executors.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "base/log.hpp"

namespace gantry::sandbox {
namespace {
constexpr Milliseconds upkeep_pause{5'000};
}

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

/// Whatever becomes of it: what one can not keep ready the other still can.
async::task<void> Executors::keep_maintained(Executor& one) {
  for (;;) {
    auto ended = co_await async::attempt(one.maintain());
    if (ended) co_return;
    log::error("upkeep of an executor failed, and begins again: {}", ended.error().sentence());
    co_await async::pause(upkeep_pause);
  }
}

async::task<void> Executors::maintain() {
  if (local_ == nullptr) co_return co_await docker_.maintain();
  co_await async::both(keep_maintained(docker_), keep_maintained(*local_));
}

}  // namespace gantry::sandbox
