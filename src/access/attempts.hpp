#pragma once

#include "base/clock.hpp"

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>

namespace gantry::access {

/// Under which an address is counted: an IPv6 one by its /64, all of which one customer has.
std::string network_of(std::string_view address);

/// Counts failures per key (a name, an address) in a sliding window. Bounded: of more than 10,000
/// keys the one that failed longest ago is forgotten.
class Attempts {
 public:
  /// How often a key may fail in 10 minutes.
  explicit Attempts(std::size_t failures_max = 10) : failures_max_{failures_max} {}
  /// How long the key must wait: zero while it has failed less often than that.
  Seconds wait(std::string_view key, WallTime now) const;
  /// Counted when the attempt begins, so that many at once do not slip through.
  void begin(std::string_view key, WallTime now);
  /// The attempt that began last was no failure.
  void withdraw(std::string_view key);
  /// All is forgiven.
  void forgive(std::string_view key);
  /// How many keys are remembered.
  std::size_t size() const { return keys_.size(); }

 private:
  struct Failures {
    std::string key;
    std::deque<WallTime> times;
  };
  std::size_t failures_max_;
  std::list<Failures> by_age_;  ///< the one that failed last is last
  std::map<std::string, std::list<Failures>::iterator, std::less<>> keys_;
};

}  // namespace gantry::access
