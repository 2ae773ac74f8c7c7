#pragma once

#include "base/clock.hpp"
#include "base/histogram.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>

namespace gantry::api {

struct Route;

/// How requests ended, by route: its template, never its path, so that there are as many series
/// as routes however many hosts and containers there are.
class RequestMetrics {
 public:
  struct Of {
    std::array<std::uint64_t, 5> by_class{};  ///< `1xx` to `5xx`
    /// Of those that were answered at once; streams and sockets last as long as somebody looks.
    Histogram took;
  };

  /// `route`: none for what no route takes, the console's files included.
  void note(const Route* route, unsigned status, std::optional<Microseconds> took);
  const std::map<const Route*, Of>& all() const { return all_; }

 private:
  std::map<const Route*, Of> all_;
};

}  // namespace gantry::api
