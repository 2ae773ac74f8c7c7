#include "async/backoff.hpp"

#include "async/deadline.hpp"
#include "base/random.hpp"

#include <algorithm>

namespace gantry::async {

Milliseconds Backoff::next() {
  auto wait = next_;
  next_ = std::min(next_ * 2, longest_);
  auto jitter = static_cast<std::uint32_t>(wait.count() / 4 + 1);
  return wait + Milliseconds{random::below(jitter)};
}

task<void> Backoff::pause() { co_await async::pause(next()); }

}  // namespace gantry::async
