#pragma once

#include "async/event.hpp"
#include "async/task.hpp"

namespace gantry::async {

enum class Winner { first, second };

/// Runs both at once; the one that ends first cancels the other, and both have ended when this
/// answers. Rethrows what the winner threw; what the loser threw is dropped unless the winner is
/// the second and `first` failed by something else than being cancelled.
task<Winner> race(task<void> first, task<void> second);

/// Runs both at once and answers when both have ended. When one fails the other is cancelled, and
/// the failure is rethrown.
task<void> both(task<void> first, task<void> second);

/// A request to stop that can be waited for and that stays made.
class StopSignal {
 public:
  explicit StopSignal(const Executor& executor) : event_{executor} {}
  void stop() {
    stopped_ = true;
    event_.notify();
  }
  bool stopped() const { return stopped_; }
  task<void> wait() {
    while (!stopped_) co_await event_.wait();
  }

 private:
  Event event_;
  bool stopped_ = false;
};

/// Runs `companion` while `work` runs: cancelled when the work ends; its own end or failure
/// changes nothing for the work (whose answer tells what became of the shared thing).
task<void> with_companion(task<void> work, task<void> companion);

}  // namespace gantry::async
