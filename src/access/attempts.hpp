#pragma once

#include "base/clock.hpp"

#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace gantry::access {

/// Counts failures per key (a name, an address) in a sliding window. Bounded: of more than 10,000
/// keys the one that failed longest ago is forgotten.
class Attempts {
 public:
  /// How long the key must wait: zero while it has failed less than 10 times in 10 minutes.
  Seconds wait(std::string_view key, WallTime now) const;
  /// Counted when the attempt begins, so that many at once do not slip through.
  void begin(std::string_view key, WallTime now);
  /// It succeeded: all is forgiven.
  void forgive(std::string_view key);

 private:
  std::map<std::string, std::deque<WallTime>, std::less<>> failures_;
};

}  // namespace gantry::access
