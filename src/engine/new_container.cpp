#include "engine/new_container.hpp"

#include "base/text.hpp"
#include "engine/creating.hpp"
#include "engine/write.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace gantry::engine {
namespace {

using write::array_of;
using write::object_of;
using write::put;

std::int64_t nanoseconds(Milliseconds duration) { return duration.count() * 1'000'000; }

json::Object healthcheck_of(const HealthcheckSettings& check) {
  json::Object out{{"Test", array_of(check.test)}};
  if (check.interval.count() > 0) out["Interval"] = nanoseconds(check.interval);
  if (check.timeout.count() > 0) out["Timeout"] = nanoseconds(check.timeout);
  if (check.start_period.count() > 0) out["StartPeriod"] = nanoseconds(check.start_period);
  if (check.retries > 0) out["Retries"] = check.retries;
  return out;
}

std::string port_key(const PublishedPort& port) {
  return fmt::format("{}/{}", port.container_port, port.protocol);
}

json::Object bindings_of(const std::vector<PublishedPort>& ports) {
  json::Object out;
  for (const auto& port : ports) {
    auto number = port.host_port ? std::to_string(*port.host_port) : std::string{};
    auto [place, fresh] = out.emplace(port_key(port), json::Array{});
    place->value().as_array().emplace_back(
        json::Object{{"HostIp", port.host_ip}, {"HostPort", std::move(number)}});
  }
  return out;
}

json::Array mounts_of(const NewContainer& wanted) {
  json::Array out;
  for (const auto& mount : wanted.volumes) {
    out.emplace_back(mount_json(mount));
  }
  for (const auto& mount : wanted.binds) {
    out.emplace_back(json::Object{{"Type", "bind"},
                                  {"Source", mount.source},
                                  {"Target", mount.target},
                                  {"ReadOnly", mount.read_only}});
  }
  return out;
}

json::Array devices_of(const std::vector<DeviceMapping>& devices) {
  json::Array out;
  for (const auto& device : devices) {
    out.emplace_back(json::Object{{"PathOnHost", device.host_path},
                                  {"PathInContainer", device.container_path},
                                  {"CgroupPermissions", device.permissions}});
  }
  return out;
}

std::vector<std::string> security_of(const NewContainer& wanted) {
  std::vector<std::string> out;
  if (wanted.no_new_privileges) out.emplace_back("no-new-privileges:true");
  if (wanted.seccomp_unconfined) out.emplace_back("seccomp=unconfined");
  if (wanted.apparmor_unconfined) out.emplace_back("apparmor=unconfined");
  return out;
}

json::Object host_config(const NewContainer& wanted) {
  json::Object host{
      {"Privileged", wanted.privileged},
      {"PublishAllPorts", false},
      {"ReadonlyRootfs", wanted.read_only_root},
      {"RestartPolicy", json::Object{{"Name", wanted.restart.name},
                                     {"MaximumRetryCount", wanted.restart.retries_max}}}};
  if (!wanted.ports.empty()) host["PortBindings"] = bindings_of(wanted.ports);
  auto mounts = mounts_of(wanted);
  if (!mounts.empty()) host["Mounts"] = std::move(mounts);
  if (!wanted.tmpfs.empty()) host["Tmpfs"] = object_of(wanted.tmpfs);
  put(host, "NetworkMode", wanted.network);
  put(host, "Dns", wanted.dns);
  put(host, "ExtraHosts", wanted.extra_hosts);
  put(host, "Memory", wanted.memory_bytes);
  put(host, "MemorySwap", wanted.memory_swap_bytes);
  put(host, "NanoCpus", wanted.nano_cpus);
  put(host, "PidsLimit", wanted.pids_limit);
  put(host, "CpuShares", wanted.cpu_shares);
  put(host, "ShmSize", wanted.shm_bytes);
  put(host, "Init", wanted.init);
  put(host, "CapDrop", wanted.cap_drop);
  put(host, "CapAdd", wanted.cap_add);
  put(host, "SecurityOpt", security_of(wanted));
  if (wanted.host_pid) host["PidMode"] = "host";
  if (wanted.host_ipc) host["IpcMode"] = "host";
  if (!wanted.devices.empty()) host["Devices"] = devices_of(wanted.devices);
  return host;
}

/// `cap_net_raw` -> `NET_RAW`
std::string bare_capability(std::string_view name) {
  std::string out{name};
  for (auto& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out.starts_with("CAP_") ? out.substr(4) : out;
}

bool has_capability(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::any_of(names, [&](const auto& one) { return bare_capability(one) == name; });
}

/// What the request's mounts look like in the engine's answer.
std::set<std::string> mount_words(const std::vector<VolumeMount>& mounts) {
  std::set<std::string> words;
  for (const auto& mount : mounts) {
    words.insert(fmt::format("{} on {}{}", mount.volume, mount.target,
                             mount.read_only ? ", read-only" : ""));
  }
  return words;
}

std::vector<VolumeMount> mounts_wanted(const NewContainer& wanted) {
  auto mounts = wanted.volumes;
  for (const auto& bind : wanted.binds) {
    mounts.push_back(
        {.volume = "bind:" + bind.source, .target = bind.target, .read_only = bind.read_only});
  }
  return mounts;
}

}  // namespace

json::Value to_json(const NewContainer& wanted) {
  json::Object body{{"Image", wanted.image},
                    {"OpenStdin", wanted.open_stdin},
                    {"Tty", wanted.tty},
                    {"HostConfig", host_config(wanted)}};
  if (wanted.entrypoint) body["Entrypoint"] = array_of(*wanted.entrypoint);
  put(body, "Cmd", wanted.command);
  put(body, "Env", wanted.env);
  if (!wanted.labels.empty()) body["Labels"] = object_of(wanted.labels);
  put(body, "User", wanted.user);
  put(body, "WorkingDir", wanted.working_dir);
  put(body, "Hostname", wanted.hostname);
  put(body, "StopSignal", wanted.stop_signal);
  put(body, "StopTimeout", wanted.stop_timeout_seconds);
  if (wanted.healthcheck) body["Healthcheck"] = healthcheck_of(*wanted.healthcheck);
  if (!wanted.ports.empty()) {
    json::Object exposed;
    for (const auto& port : wanted.ports) exposed[port_key(port)] = json::Object{};
    body["ExposedPorts"] = std::move(exposed);
  }
  if (wanted.network && !wanted.network_aliases.empty()) {
    json::Object endpoint{{"Aliases", array_of(wanted.network_aliases)}};
    body["NetworkingConfig"] =
        json::Object{{"EndpointsConfig", json::Object{{*wanted.network, std::move(endpoint)}}}};
  }
  return body;
}

async::task<Result<CreatedContainer>> create_container(Client& client, std::string name,
                                                       const NewContainer& wanted) {
  return create_serialised(client, std::move(name), to_json(wanted));
}

std::vector<std::string> wider_than_wanted(const NewContainer& wanted,
                                           const ContainerDetails& details) {
  std::vector<std::string> wider;
  auto check = [&](bool fine, std::string_view what) {
    if (!fine) wider.emplace_back(what);
  };
  const auto& got = details.unasked;
  check(wanted.privileged || !got.privileged, "it is privileged");
  check(wanted.host_pid || got.pid_mode.empty() || got.pid_mode == "private",
        "its processes are not its own namespace's");
  check(got.uts_mode.empty() && got.userns_mode.empty(), "it has another's namespace");
  const auto& settings = details.settings;
  auto network = settings.network_mode.value_or("");
  check(network != "host" || wanted.network == "host", "it has the host's network");
  check(!network.starts_with("container:"), "it has another container's network");
  auto ipc = settings.ipc_mode.value_or("");
  check(wanted.host_ipc || (ipc != "host" && !ipc.starts_with("container:")),
        "it has another's IPC namespace");
  check(got.binds.empty() && got.volumes_from.empty(), "it has mounts nobody asked for");
  auto mounts = mount_words(mounts_wanted(wanted));
  for (const auto& mount : mount_words(settings.mounts)) {
    check(mounts.contains(mount), "it has mounts nobody asked for");
  }
  check(got.devices <= wanted.devices.size() && got.device_requests == 0 &&
            got.device_cgroup_rules == 0,
        "it has devices nobody asked for");
  for (const auto& name : settings.cap_add) {
    check(wanted.privileged || has_capability(wanted.cap_add, bare_capability(name)),
          "it has capabilities nobody asked for");
  }
  for (const auto& option : settings.security_opt) {
    bool open = option.contains("unconfined");
    check(!open || wanted.privileged || wanted.seccomp_unconfined || wanted.apparmor_unconfined,
          "it is not confined");
  }
  return wider;
}

}  // namespace gantry::engine
