#pragma once

#include "base/clock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace gantry {

/// How long things took, for statistics: counted by fixed bounds, in constant memory.
class Histogram {
 public:
  /// In seconds, each bound included.
  static constexpr std::array bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                     0.1,   0.25,   0.5,   1.0,  2.5,   10.0};

  void observe(Microseconds time) {
    auto seconds = static_cast<double>(time.count()) / 1e6;
    std::size_t place = 0;
    while (place < bounds.size() && seconds > bounds[place]) ++place;
    ++counts_[place];
    ++count_;
    sum_ += time;
  }

  /// How many took no longer than bound `place`.
  std::uint64_t up_to(std::size_t place) const {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i <= place; ++i) total += counts_[i];
    return total;
  }
  std::uint64_t count() const { return count_; }
  Microseconds sum() const { return sum_; }

 private:
  std::array<std::uint64_t, bounds.size() + 1> counts_{};
  std::uint64_t count_ = 0;
  Microseconds sum_{};
};

}  // namespace gantry
