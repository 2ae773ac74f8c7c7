#include "api/compat.hpp"
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "api/metrics.hpp"
#include "api/pools.hpp"
#include "base/text.hpp"
#include "fleet/fleet.hpp"

#include <optional>

// GET /health and GET /metrics, as clients of script-executor-server know them.
namespace gantry::api {
namespace {

using sandbox::Verdict;

std::uint64_t ended_as(const executions::Counters& counters, Verdict verdict) {
  auto found = counters.ended.find(verdict);
  return found == counters.ended.end() ? 0 : found->second;
}

std::uint64_t ended(const executions::Counters& counters) {
  std::uint64_t total = 0;
  for (const auto& [verdict, count] : counters.ended) total += count;
  return total;
}

double seconds(Microseconds time) { return static_cast<double>(time.count()) / 1e6; }

}  // namespace

ImagePools pools_by_image(const std::vector<sandbox::PoolView>& pools,
                          const sandbox::ImageAliases& aliases) {
  auto alias = aliases.find(std::string{default_image});
  ImagePools images;
  for (const auto& pool : pools) {
    bool serves_default = alias != aliases.end() && pool.image == alias->second;
    auto name = serves_default ? std::string{default_image} : pool.image;
    if (pool.executor == "local") name = "local " + pool.interpreter;
    if (name.empty()) name = "other";
    auto& image = images[name];
    image.wanted += pool.wanted;
    image.ready += pool.ready;
    image.hits += pool.hits;
    image.misses += pool.misses;
  }
  return images;
}

std::string metrics_json(const executions::Counters& counters, const ImagePools& pools) {
  auto total = ended(counters);
  auto successful = ended_as(counters, Verdict::ok);
  auto average = total == 0 ? 0.0 : seconds(counters.wall_time) / static_cast<double>(total);
  // The origin counted these by pool only; here they were 0, too.
  json::Object counted{{"total_executions", total},
                       {"successful_executions", successful},
                       {"failed_executions", total - successful},
                       {"average_execution_time", average},
                       {"containers_created", 0},
                       {"containers_destroyed", 0}};
  // Its clients look for the pool of the default image; all executions are told as that one's.
  auto usual = counted;
  usual["pool_size"] = 0;
  usual["available_containers"] = 0;
  json::Object by_image{{default_image, std::move(usual)}};
  std::size_t available = 0;
  for (const auto& [name, pool] : pools) {
    available += pool.ready;
    auto& image = by_image.emplace(name, json::Object{}).first->value().get_object();
    if (name != default_image) image["total_executions"] = pool.hits + pool.misses;
    image["pool_size"] = pool.wanted;
    image["available_containers"] = pool.ready;
  }
  counted["pools_active"] = pools.size();
  counted["total_available_containers"] = available;
  counted["pool_metrics"] = std::move(by_image);
  return json_text(counted);
}

bool wants_text(std::string_view accept) {
  auto lowered = text::lowered(accept);
  return lowered.find("text/plain") != std::string::npos ||
         lowered.find("application/openmetrics-text") != std::string::npos;
}

Answer get_health(Call& call) {
  const auto& services = call.services;
  auto now = services.clock.now().time_since_epoch();
  // There is no pool: true means that an execution would find its engine.
  bool pool_active = services.fleet.local_view().state == fleet::EngineState::connected;
  co_return json_reply(200, json::Object{{"status", "healthy"},
                                         {"timestamp", static_cast<double>(now.count()) / 1000.0},
                                         {"pool_active", pool_active}});
}

Answer get_metrics(Call& call) {
  const auto& services = call.services;
  auto counters = services.executions.counters();
  auto pools = pools_by_image(visible_pools(call), services.aliases);
  if (!wants_text(call.header("Accept"))) {
    co_return json_reply(200, metrics_json(counters, pools));
  }
  std::optional<fleet::EngineState> local_engine;
  if (!call.rights().restricted()) local_engine = services.fleet.local_view().state;
  co_return Reply{.status = 200,
                  .headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
                  .body = metrics_text({.counters = counters,
                                        .pools = pools,
                                        .hosts = host_metrics(call),
                                        .local_engine = local_engine,
                                        .requests = services.requests,
                                        .database = services.database,
                                        .version = services.version,
                                        .started_at = services.started_at})};
}

}  // namespace gantry::api
