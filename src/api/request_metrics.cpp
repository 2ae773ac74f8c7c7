#include "api/request_metrics.hpp"

#include <algorithm>

namespace gantry::api {

void RequestMetrics::note(const Route* route, unsigned status, std::optional<Microseconds> took) {
  auto& of = all_[route];
  ++of.by_class[std::clamp(status / 100, 1U, 5U) - 1];
  if (took) of.took.observe(*took);
}

}  // namespace gantry::api
