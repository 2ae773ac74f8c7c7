#pragma once

#include "async/backoff.hpp"

#include <optional>

namespace gantry::cli {

/// How often a stream that has ended is asked for again. One that lasted begins anew; those that
/// end at once are counted, in order or not.
class Retries {
 public:
  static constexpr Milliseconds sound{10'000};
  static constexpr int tries_max = 20;

  /// The stream has ended after `lasted`: how long to wait for the next; nothing: it is enough.
  std::optional<Milliseconds> after(Milliseconds lasted) {
    if (lasted >= sound) {
      tries_ = 0;
      backoff_.reset();
    }
    if (++tries_ > tries_max) return std::nullopt;
    return backoff_.next();
  }

 private:
  async::Backoff backoff_{Milliseconds{500}, Milliseconds{10'000}};
  int tries_ = 0;
};

}  // namespace gantry::cli
