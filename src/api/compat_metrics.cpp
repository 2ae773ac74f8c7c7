#include "api/compat.hpp"
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "base/text.hpp"
#include "fleet/link.hpp"

#include <array>

#include <fmt/format.h>

// GET /health and GET /metrics, as clients of script-executor-server know them.
namespace gantry::api {
namespace {

using sandbox::Verdict;

constexpr std::array verdicts{Verdict::ok,
                              Verdict::failed,
                              Verdict::signalled,
                              Verdict::timed_out,
                              Verdict::cpu_exceeded,
                              Verdict::memory_exceeded,
                              Verdict::output_exceeded,
                              Verdict::cancelled,
                              Verdict::infrastructure_error};

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

/// Writes the text format 0.0.4 of Prometheus.
class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <class Number>
  void sample(std::string_view name, Number value) {
    text_ += fmt::format("{} {}\n", name, value);
  }
  template <class Number>
  void sample(std::string_view name, std::string_view label, std::string_view word, Number value) {
    text_ += fmt::format("{}{{{}=\"{}\"}} {}\n", name, label, word, value);
  }
  /// For label values that are not ours: quotes and backslashes are escaped.
  template <class Number>
  void sample_of(std::string_view name, std::string_view label, std::string_view value,
                 Number number) {
    std::string escaped;
    for (char c : text::one_line(value)) {
      if (c == '"' || c == '\\') escaped += '\\';
      escaped += c;
    }
    sample(name, label, escaped, number);
  }
  template <class Number>
  void single(std::string_view name, std::string_view type, std::string_view help, Number value) {
    family(name, type, help);
    sample(name, value);
  }
  std::string text() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

ImagePools pools_by_image(const std::vector<sandbox::PoolView>& pools,
                          const sandbox::ImageAliases& aliases) {
  auto alias = aliases.find(std::string{default_image});
  ImagePools images;
  for (const auto& pool : pools) {
    bool serves_default = alias != aliases.end() && pool.image == alias->second;
    auto name = serves_default ? std::string{default_image} : pool.image;
    if (pool.executor == "local") name = "local " + pool.interpreter;
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

namespace {

void tell_pools(Exposition& out, const ImagePools& pools) {
  out.family("gantry_pool_ready", "gauge", "Containers that wait for programs, by image.");
  for (const auto& [name, pool] : pools) {
    out.sample_of("gantry_pool_ready", "image", name, pool.ready);
  }
  out.family("gantry_pool_hits_total", "counter", "Programs that found a waiting container.");
  for (const auto& [name, pool] : pools) {
    out.sample_of("gantry_pool_hits_total", "image", name, pool.hits);
  }
  out.family("gantry_pool_misses_total", "counter", "Programs that found none.");
  for (const auto& [name, pool] : pools) {
    out.sample_of("gantry_pool_misses_total", "image", name, pool.misses);
  }
}

}  // namespace

std::string metrics_text(const MetricsSource& source) {
  const auto& [counters, pools, view, version, started_at] = source;
  Exposition out;
  out.family("gantry_build_info", "gauge", "The version of this server.");
  out.sample("gantry_build_info", "version", version, 1);
  out.single("gantry_start_time_seconds", "gauge", "When the server started, in Unix time.",
             static_cast<double>(started_at.time_since_epoch().count()) / 1000.0);
  out.single("gantry_executions_submitted_total", "counter", "Executions taken.",
             counters.submitted);
  out.family("gantry_executions_total", "counter", "Executions ended, by verdict.");
  for (auto verdict : verdicts) {
    out.sample("gantry_executions_total", "verdict", sandbox::word(verdict),
               ended_as(counters, verdict));
  }
  out.single("gantry_execution_wall_seconds_total", "counter",
             "What the programs of all ended executions took, from start to end.",
             seconds(counters.wall_time));
  out.single("gantry_executions_running", "gauge", "Executions under way.", counters.running);
  out.single("gantry_executions_queued", "gauge", "Executions that wait for a place.",
             counters.queued);
  bool connected = view.state == fleet::EngineState::connected;
  out.single("gantry_engine_up", "gauge", "Whether the local engine answers.", connected ? 1 : 0);
  out.single("gantry_containers", "gauge", "Containers of the local engine, ours included.",
             view.containers.size());
  tell_pools(out, pools);
  return out.text();
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
  auto pools = pools_by_image(services.pools ? services.pools() : std::vector<sandbox::PoolView>{},
                              services.aliases);
  if (!wants_text(call.header("Accept"))) {
    co_return json_reply(200, metrics_json(counters, pools));
  }
  co_return Reply{.status = 200,
                  .headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
                  .body = metrics_text({.counters = counters,
                                        .pools = pools,
                                        .view = services.fleet.local_view(),
                                        .version = services.version,
                                        .started_at = services.started_at})};
}

}  // namespace gantry::api
