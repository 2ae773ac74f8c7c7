#include "api/metrics.hpp"

#include "api/exposition.hpp"
#include "api/routes.hpp"
#include "fleet/fleet.hpp"

#include <algorithm>
#include <array>

namespace gantry::api {
namespace {

using fleet::EngineState;
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
constexpr std::array<std::string_view, 7> container_states{
    "created", "running", "paused", "restarting", "removing", "exited", "dead"};
constexpr std::array engine_states{EngineState::connecting, EngineState::connected,
                                   EngineState::unreachable, EngineState::disabled};
constexpr std::array<std::string_view, 5> status_classes{"1xx", "2xx", "3xx", "4xx", "5xx"};

double seconds(Microseconds time) { return static_cast<double>(time.count()) / 1e6; }
double seconds(WallTime time) {
  return static_cast<double>(time.time_since_epoch().count()) / 1000.0;
}

std::uint64_t ended_as(const executions::Counters& counters, Verdict verdict) {
  auto found = counters.ended.find(verdict);
  return found == counters.ended.end() ? 0 : found->second;
}

void tell_executions(Exposition& out, const executions::Counters& counters) {
  out.single("gantry_executions_submitted_total", "counter", "Executions taken.",
             counters.submitted);
  out.family("gantry_executions_total", "counter", "Executions ended, by verdict.");
  for (auto verdict : verdicts) {
    out.sample("gantry_executions_total", {{"verdict", sandbox::word(verdict)}},
               ended_as(counters, verdict));
  }
  out.single("gantry_execution_wall_seconds_total", "counter",
             "What the programs of all ended executions took, from start to end.",
             seconds(counters.wall_time));
  out.single("gantry_executions_running", "gauge", "Executions under way.", counters.running);
  out.single("gantry_executions_queued", "gauge", "Executions that wait for a place.",
             counters.queued);
}

void tell_pools(Exposition& out, const ImagePools& pools) {
  struct Family {
    std::string_view name;
    std::string_view type;
    std::string_view help;
    std::uint64_t (*value)(const ImagePool& pool);
  };
  static constexpr std::array families{
      Family{"gantry_pool_ready", "gauge", "Containers that wait for programs, by image.",
             [](const ImagePool& pool) -> std::uint64_t { return pool.ready; }},
      Family{"gantry_pool_wanted", "gauge", "Containers that are to wait for programs, by image.",
             [](const ImagePool& pool) -> std::uint64_t { return pool.wanted; }},
      Family{"gantry_pool_hits_total", "counter", "Programs that found a waiting container.",
             [](const ImagePool& pool) { return pool.hits; }},
      Family{"gantry_pool_misses_total", "counter", "Programs that found none.",
             [](const ImagePool& pool) { return pool.misses; }}};
  for (const auto& family : families) {
    out.family(family.name, family.type, family.help);
    for (const auto& [image, pool] : pools) {
      out.sample(family.name, {{"image", image}}, family.value(pool));
    }
  }
}

void tell_links(Exposition& out, const std::vector<HostMetrics>& hosts) {
  out.family("gantry_hosts", "gauge", "Hosts, by the state of the link to their engine.");
  for (auto state : engine_states) {
    out.sample("gantry_hosts", {{"state", word(state)}},
               std::ranges::count(hosts, state, &HostMetrics::state));
  }
  out.family("gantry_host_up", "gauge", "Whether the host's engine is connected.");
  for (const auto& host : hosts) {
    out.sample("gantry_host_up", {{"host", host.name}},
               host.state == EngineState::connected ? 1 : 0);
  }
  out.family("gantry_host_seen_timestamp_seconds", "gauge",
             "When what is known of the host was true last, in Unix time.");
  for (const auto& host : hosts) {
    if (!host.as_of) continue;
    out.sample("gantry_host_seen_timestamp_seconds", {{"host", host.name}}, seconds(*host.as_of));
  }
}

void tell_containers(Exposition& out, const std::vector<HostMetrics>& hosts) {
  out.family("gantry_containers", "gauge", "Containers, by host and state.");
  for (const auto& host : hosts) {
    for (const auto& [state, count] : host.containers) {
      out.sample("gantry_containers", {{"host", host.name}, {"state", state}}, count);
    }
  }
  out.family("gantry_containers_unhealthy", "gauge",
             "Containers whose own health check fails, by host.");
  for (const auto& host : hosts) {
    out.sample("gantry_containers_unhealthy", {{"host", host.name}}, host.unhealthy);
  }
}

std::string_view method_of(const Route* route) { return route != nullptr ? route->method : "any"; }
std::string_view path_of(const Route* route) { return route != nullptr ? route->path : "other"; }

void tell_requests(Exposition& out, const RequestMetrics& requests) {
  out.family("gantry_http_requests_total", "counter",
             "Requests, by the template of their route and the class of their status.");
  for (const auto& [route, of] : requests.all()) {
    for (std::size_t i = 0; i < status_classes.size(); ++i) {
      if (of.by_class[i] == 0) continue;
      out.sample(
          "gantry_http_requests_total",
          {{"method", method_of(route)}, {"route", path_of(route)}, {"status", status_classes[i]}},
          of.by_class[i]);
    }
  }
  out.family("gantry_http_request_duration_seconds", "histogram",
             "What requests took that were answered at once: streams are left out.");
  for (const auto& [route, of] : requests.all()) {
    if (of.took.count() == 0) continue;
    out.histogram("gantry_http_request_duration_seconds",
                  {{"method", method_of(route)}, {"route", path_of(route)}}, of.took);
  }
}

void tell_database(Exposition& out, const storage::DatabaseStats& database) {
  out.family("gantry_database_info", "gauge", "The kind of database.");
  out.sample("gantry_database_info", {{"kind", database.kind}}, 1);
  out.family("gantry_database_transactions_total", "counter",
             "Transactions, by outcome; refused ones have changed nothing.");
  out.sample("gantry_database_transactions_total", {{"outcome", "done"}}, database.done);
  out.sample("gantry_database_transactions_total", {{"outcome", "refused"}}, database.refused);
  out.single("gantry_database_transactions_waiting", "gauge",
             "Transactions that wait for their turn or run.", database.waiting);
  out.family("gantry_database_transaction_duration_seconds", "histogram",
             "What transactions took, waiting for their turn included.");
  out.histogram("gantry_database_transaction_duration_seconds", {}, database.took);
}

HostMetrics metrics_of(const access::Rights& rights, const fleet::Host& host) {
  HostMetrics metrics{.name = host.name(), .state = host.view().state, .as_of = host.view().as_of};
  for (auto state : container_states) metrics.containers.emplace(state, 0);
  const auto& groups = host.config().groups;
  for (const auto& container : host.view().containers) {
    if (!rights.role_on(host.name(), groups, container.project.value_or(""))) continue;
    auto known = metrics.containers.find(container.state);
    if (known == metrics.containers.end()) known = metrics.containers.emplace("other", 0).first;
    ++known->second;
    if (container.health == fleet::Health::unhealthy) ++metrics.unhealthy;
  }
  return metrics;
}

}  // namespace

std::vector<HostMetrics> host_metrics(const Call& call) {
  std::vector<HostMetrics> all;
  auto rights = call.rights();
  for (const auto& host : call.services.fleet.hosts()) {
    if (!rights.sees_host(host->name(), host->config().groups)) continue;
    all.push_back(metrics_of(rights, *host));
  }
  return all;
}

std::string metrics_text(const MetricsSource& source) {
  Exposition out;
  out.family("gantry_build_info", "gauge", "The version of this server.");
  out.sample("gantry_build_info", {{"version", source.version}}, 1);
  out.single("gantry_start_time_seconds", "gauge", "When the server started, in Unix time.",
             seconds(source.started_at));
  tell_links(out, source.hosts);
  tell_containers(out, source.hosts);
  if (source.local_engine) {
    out.single("gantry_engine_up", "gauge", "Whether the engine that runs programs answers.",
               source.local_engine == EngineState::connected ? 1 : 0);
  }
  tell_executions(out, source.counters);
  tell_pools(out, source.pools);
  if (source.requests != nullptr) tell_requests(out, *source.requests);
  if (source.database != nullptr) tell_database(out, *source.database);
  return out.text();
}

}  // namespace gantry::api
