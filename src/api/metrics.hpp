#pragma once

#include "api/call.hpp"
#include "api/compat.hpp"
#include "api/request_metrics.hpp"
#include "executions/executions.hpp"
#include "fleet/view.hpp"
#include "storage/metered.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// `GET /metrics` for Prometheus. What it tells is in docs/metrics.md.
namespace gantry::api {

/// A host as somebody may see it.
struct HostMetrics {
  std::string name;
  fleet::EngineState state;
  std::optional<WallTime> as_of;
  /// How many containers are in each of Docker's states; `other` for words that are none.
  std::map<std::string, std::uint64_t, std::less<>> containers;
  std::uint64_t unhealthy = 0;
};
/// The hosts that the caller may see, with what they may see on them.
std::vector<HostMetrics> host_metrics(const Call& call);

/// What the text tells.
struct MetricsSource {
  const executions::Counters& counters;
  const ImagePools& pools;
  std::vector<HostMetrics> hosts = {};
  /// Nothing for who may not see every host.
  std::optional<fleet::EngineState> local_engine = {};
  const RequestMetrics* requests = nullptr;
  const storage::DatabaseStats* database = nullptr;
  std::string_view version;
  WallTime started_at;
};
std::string metrics_text(const MetricsSource& source);

}  // namespace gantry::api
