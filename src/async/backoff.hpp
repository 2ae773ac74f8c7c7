#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"

namespace gantry::async {

/// How long to wait before trying again: doubles from `first` to `longest`, with up to a quarter
/// of jitter, so that many who failed together do not return together.
class Backoff {
 public:
  Backoff(Milliseconds first, Milliseconds longest)
      : first_{first}, longest_{longest}, next_{first} {}

  /// The next wait, and the one after it grows.
  Milliseconds next();
  task<void> pause();
  /// It worked: start small again.
  void reset() { next_ = first_; }

 private:
  Milliseconds first_;
  Milliseconds longest_;
  Milliseconds next_;
};

}  // namespace gantry::async
