#include "sandbox/overrun.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <utility>

namespace gantry::sandbox {

Observer Overrun::watched(Observer observer) {
  observer.started = [this, told = std::move(observer.started)](Stage stage) {
    stage_ = stage;
    began_ = steady_now();
    changed_.notify();
    told(stage);
  };
  return observer;
}

SteadyTime Overrun::overdue() const {
  const auto& compile = execution_.program.compile;
  bool compiles = stage_ == Stage::compile && compile;
  return began_ + (compiles ? compile->wall_time : execution_.policy.wall_time) + patience;
}

async::task<void> Overrun::relieve() {
  if (execution_.policy.cpus >= enough_cpus) co_return;
  while (!stage_) co_await changed_.wait();
  // Another stage may begin while this one is waited for.
  for (auto now = steady_now(); now < overdue(); now = steady_now()) {
    co_await async::pause(
        std::max(Milliseconds{1}, std::chrono::duration_cast<Milliseconds>(overdue() - now)));
  }
  auto helped = co_await async::attempt(help_());
  if (!helped) log::warn("cannot speed up the end of a program: {}", helped.error().sentence());
}

}  // namespace gantry::sandbox
