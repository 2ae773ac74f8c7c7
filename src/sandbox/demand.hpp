#pragma once

#include "base/clock.hpp"

#include <cstddef>

namespace gantry::sandbox {

/// Learns from arrivals how many containers should wait: as many as lately came, at most, within
/// the time that making one takes. That peak fades by half in two minutes. Pure.
class Demand {
 public:
  void arrived(SteadyTime now);
  /// One was made, and it took this long.
  void made(Milliseconds took);
  /// How many should wait now; no fewer than `least` and no more than `most`.
  std::size_t wanted(SteadyTime now, std::size_t least, std::size_t most) const;
  std::size_t arrivals() const { return arrivals_; }

 private:
  double recent(SteadyTime now) const;
  double peak(SteadyTime now) const;

  double making_ms_ = 500;
  double recent_ = 0;  ///< Arrivals, each fading within the time that making one takes.
  double peak_ = 0;
  SteadyTime counted_at_;
  std::size_t arrivals_ = 0;
};

}  // namespace gantry::sandbox
