#include "api/container_json.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cmath>

namespace gantry::api {
namespace {

constexpr std::size_t text_max = 4096;
constexpr std::size_t value_max = 32'768;
constexpr std::size_t items_max = 1024;
constexpr std::string_view never = "0001-01-01T00:00:00Z";

/// As it is, when it is UTF-8 and not endless.
json::Value text_json(std::string_view value, std::size_t max = text_max) {
  if (!text::valid_utf8(value)) return json::Value(text::shortened(text::one_line(value), max));
  return json::Value(text::shortened(value, max));
}

json::Array texts_json(const std::vector<std::string>& texts) {
  json::Array out;
  for (const auto& text : texts) {
    if (out.size() == items_max) break;
    out.push_back(text_json(text, value_max));
  }
  return out;
}

/// Words of a command, with the values of options such as `--password=x` masked.
json::Array words_json(const std::vector<std::string>& words, Masking masking) {
  if (masking == Masking::shown) return texts_json(words);
  auto shown = words;
  for (auto& word : shown) {
    auto equals = word.find('=');
    bool secret = equals != std::string::npos && text::names_secret(word.substr(0, equals));
    if (secret) word.replace(equals + 1, std::string::npos, text::mask);
    if (!secret) word = text::without_url_password(word);
  }
  return texts_json(shown);
}

json::Array env_json(const std::vector<std::string>& env, Masking masking) {
  json::Array out;
  for (const auto& variable : env) {
    if (out.size() == items_max) break;
    auto equals = std::min(variable.find('='), variable.size());
    auto name = std::string_view{variable}.substr(0, equals);
    auto value = std::string_view{variable}.substr(std::min(equals + 1, variable.size()));
    bool secret = text::names_secret(name) || text::without_url_password(value) != value;
    bool masked = secret && masking == Masking::masked;
    json::Object item{{"name", text_json(name)}, {"secret", secret}};
    if (!masked) {
      item["value"] = text_json(value, value_max);
    } else if (text::names_secret(name)) {
      item["value"] = text::mask;
    } else {
      item["value"] = text_json(text::without_url_password(value), value_max);
    }
    out.push_back(std::move(item));
  }
  return out;
}

json::Object labels_json(const std::map<std::string, std::string>& labels, Masking masking) {
  json::Object out;
  for (const auto& [name, value] : labels) {
    if (out.size() == items_max) break;
    bool masked = masking == Masking::masked && text::names_secret(name);
    auto key = text::shortened(text::one_line(name), 256);
    out[key] = masked ? json::Value(text::mask) : text_json(value);
  }
  return out;
}

json::Value time_json(const std::string& time) {
  if (time.empty() || time == never) return nullptr;
  return text_json(time, 64);
}

json::Object state_json(const engine::ContainerState& state) {
  return {{"status", text_json(state.status, 64)},
          {"running", state.running},
          {"paused", state.paused},
          {"oom_killed", state.oom_killed},
          {"pid", state.pid},
          {"exit_code", state.exit_code},
          {"error", text_json(state.error)},
          {"started_at", time_json(state.started_at)},
          {"finished_at", time_json(state.finished_at)}};
}

json::Value health_json(const engine::ContainerState& state) {
  if (state.health.empty() || state.health == "none") return nullptr;
  json::Array probes;
  for (const auto& probe : state.probes) {
    if (probes.size() == items_max) break;
    probes.push_back(json::Object{{"started_at", time_json(probe.started_at)},
                                  {"finished_at", time_json(probe.finished_at)},
                                  {"exit_code", probe.exit_code},
                                  {"output", text_json(probe.output)}});
  }
  return json::Object{{"status", text_json(state.health, 64)},
                      {"failing_streak", state.failing_streak},
                      {"probes", std::move(probes)}};
}

json::Value healthcheck_json(const engine::HealthcheckSettings& check, Masking masking) {
  if (check.test.empty()) return nullptr;
  return json::Object{{"test", words_json(check.test, masking)},
                      {"interval_ms", check.interval.count()},
                      {"timeout_ms", check.timeout.count()},
                      {"start_period_ms", check.start_period.count()},
                      {"retries", check.retries}};
}

json::Array ports_json(const std::vector<engine::Port>& ports) {
  json::Array out;
  for (const auto& port : ports) {
    if (out.size() == items_max) break;
    json::Object item{{"private", port.container_port}, {"protocol", text_json(port.protocol, 16)}};
    if (port.host_port) item["public"] = *port.host_port;
    if (!port.host_ip.empty()) item["ip"] = text_json(port.host_ip, 64);
    out.push_back(std::move(item));
  }
  return out;
}

json::Array mounts_json(const std::vector<engine::MountPoint>& mounts) {
  json::Array out;
  for (const auto& mount : mounts) {
    if (out.size() == items_max) break;
    out.push_back(json::Object{{"type", text_json(mount.type, 64)},
                               {"name", text_json(mount.name)},
                               {"source", text_json(mount.source)},
                               {"target", text_json(mount.target)},
                               {"read_only", !mount.writable}});
  }
  return out;
}

json::Array networks_json(const std::vector<engine::NetworkAttachment>& networks) {
  json::Array out;
  for (const auto& network : networks) {
    if (out.size() == items_max) break;
    out.push_back(json::Object{{"name", text_json(network.name)},
                               {"id", text_json(network.id, 128)},
                               {"ip_address", text_json(network.ip_address, 64)},
                               {"ipv6_address", text_json(network.ipv6_address, 64)},
                               {"gateway", text_json(network.gateway, 64)},
                               {"mac_address", text_json(network.mac_address, 64)},
                               {"aliases", texts_json(network.aliases)}});
  }
  return out;
}

/// Absent and 0 both mean: no limit.
json::Value limit_json(const std::optional<std::int64_t>& limit) {
  return limit.value_or(0) > 0 ? json::Value(*limit) : json::Value(nullptr);
}

json::Object limits_json(const engine::ContainerSpec& settings) {
  json::Object out{{"memory_bytes", limit_json(settings.memory_bytes)},
                   {"memory_swap_bytes", limit_json(settings.memory_swap_bytes)},
                   {"cpus", nullptr},
                   {"pids", limit_json(settings.pids_limit)},
                   {"shm_bytes", limit_json(settings.shm_bytes)}};
  if (settings.nano_cpus.value_or(0) > 0) {
    out["cpus"] = static_cast<double>(*settings.nano_cpus) / 1e9;
  }
  return out;
}

json::Object security_json(const engine::ContainerDetails& details) {
  const auto& settings = details.settings;
  return {{"privileged", details.unasked.privileged},
          {"read_only_root", settings.read_only_root},
          {"capabilities_added", texts_json(settings.cap_add)},
          {"capabilities_dropped", texts_json(settings.cap_drop)},
          {"options", texts_json(settings.security_opt)},
          {"pid_namespace", text_json(details.unasked.pid_mode, 128)},
          {"ipc_namespace", text_json(settings.ipc_mode.value_or(""), 128)},
          {"network_mode", text_json(settings.network_mode.value_or(""), 128)},
          {"devices", details.unasked.devices}};
}

}  // namespace

json::Object container_details_json(const engine::ContainerDetails& details, Masking masking) {
  const auto& settings = details.settings;
  return {
      {"id", details.id},
      {"name", text_json(details.name, 256)},
      {"created_at", time_json(details.created)},
      {"image", text_json(settings.image, 512)},
      {"image_id", text_json(details.image_id, 128)},
      {"platform", text_json(details.platform, 64)},
      {"storage_driver", text_json(details.storage_driver, 64)},
      {"command", words_json(details.command, masking)},
      {"entrypoint", words_json(settings.entrypoint.value_or(std::vector<std::string>{}), masking)},
      {"working_dir", text_json(settings.working_dir.value_or(""))},
      {"user", text_json(settings.user.value_or(""), 256)},
      {"hostname", text_json(settings.hostname.value_or(""), 256)},
      {"tty", settings.tty},
      {"env", env_json(settings.env, masking)},
      {"masked", masking == Masking::masked},
      {"labels", labels_json(settings.labels, masking)},
      {"state", state_json(details.state)},
      {"health", health_json(details.state)},
      {"healthcheck", healthcheck_json(details.healthcheck, masking)},
      {"restart", json::Object{{"policy", text_json(details.restart.name, 64)},
                               {"retries_max", details.restart.retries_max}}},
      {"restart_count", details.restart_count},
      {"ports", ports_json(details.ports)},
      {"mounts", mounts_json(details.mounts)},
      {"networks", networks_json(details.networks)},
      {"limits", limits_json(settings)},
      {"log_driver", text_json(settings.log_driver.value_or(""), 64)},
      {"security", security_json(details)}};
}

json::Object container_stats_json(const engine::Stats& stats) {
  json::Object out{{"read_at", text_json(stats.read_at, 64)},
                   {"cpu_percent", nullptr},
                   {"cpus", stats.online_cpus},
                   {"memory_bytes", stats.memory_bytes},
                   {"memory_limit_bytes", stats.memory_limit_bytes},
                   {"pids", stats.pids},
                   {"received_bytes", stats.received_bytes},
                   {"sent_bytes", stats.sent_bytes},
                   {"disk_read_bytes", stats.disk_read_bytes},
                   {"disk_written_bytes", stats.disk_written_bytes}};
  if (auto percent = stats.cpu_percent()) {
    out["cpu_percent"] = std::round(*percent * 100.0) / 100.0;
  }
  return out;
}

json::Object container_processes_json(const engine::ProcessTable& table) {
  json::Array rows;
  for (const auto& row : table.rows) {
    if (rows.size() == 10'000) break;
    rows.push_back(texts_json(row));
  }
  return {{"titles", texts_json(table.titles)}, {"rows", std::move(rows)}};
}

}  // namespace gantry::api
