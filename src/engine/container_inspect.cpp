#include "engine/containers.hpp"
#include "engine/names.hpp"
#include "engine/read.hpp"

#include <algorithm>
#include <charconv>

namespace gantry::engine {
namespace {

/// A member as a reader of its own; of an empty object when it is absent.
json::Fields nested(json::Fields& parent, std::string_view key) {
  static const json::Value nothing = json::Object{};
  const auto* value = parent.member(key);
  return read::fields(value == nullptr ? nothing : *value, parent.path(key));
}

void close(json::Fields& parent, json::Fields& child) {
  if (auto done = child.finish(); !done) parent.adopt(done.error());
}

std::optional<std::int64_t> set_integer(json::Fields& fields, std::string_view key) {
  constexpr json::IntegerBounds any{INT64_MIN, INT64_MAX};
  return fields.integer(key, any);
}

std::vector<Probe> probes_of(json::Fields& health) {
  std::vector<Probe> out;
  const auto* items = health.array("Log", SIZE_MAX);
  if (items == nullptr) return out;
  for (const auto& item : *items) {
    auto fields = read::fields(item, health.path("Log"));
    out.push_back({.started_at = read::text(fields, "Start"),
                   .finished_at = read::text(fields, "End"),
                   .exit_code = read::integer(fields, "ExitCode"),
                   .output = read::text(fields, "Output")});
    close(health, fields);
  }
  return out;
}

ContainerState state_of(json::Fields& parent) {
  auto fields = nested(parent, "State");
  ContainerState state;
  state.status = read::text(fields, "Status");
  state.running = read::boolean(fields, "Running");
  state.paused = read::boolean(fields, "Paused");
  state.oom_killed = read::boolean(fields, "OOMKilled");
  state.pid = read::integer(fields, "Pid");
  state.exit_code = read::integer(fields, "ExitCode");
  state.error = read::text(fields, "Error");
  state.started_at = read::text(fields, "StartedAt");
  state.finished_at = read::text(fields, "FinishedAt");
  auto health = nested(fields, "Health");
  state.health = read::text(health, "Status");
  state.failing_streak = read::integer(health, "FailingStreak");
  state.probes = probes_of(health);
  close(fields, health);
  close(parent, fields);
  return state;
}

Milliseconds nanoseconds_of(json::Fields& fields, std::string_view key) {
  return Milliseconds{read::integer(fields, key) / 1'000'000};
}

void read_config(json::Fields& parent, ContainerDetails& details) {
  auto fields = nested(parent, "Config");
  auto& settings = details.settings;
  settings.image = read::text(fields, "Image");
  settings.user = read::text(fields, "User");
  settings.env = read::texts(fields, "Env");
  if (fields.member("Entrypoint") != nullptr) {
    settings.entrypoint = read::texts(fields, "Entrypoint");
  }
  settings.cmd = read::texts(fields, "Cmd");
  settings.working_dir = read::text(fields, "WorkingDir");
  settings.hostname = read::text(fields, "Hostname");
  settings.labels = read::text_map(fields, "Labels");
  settings.attach_stdin = read::boolean(fields, "AttachStdin");
  settings.attach_stdout = read::boolean(fields, "AttachStdout");
  settings.attach_stderr = read::boolean(fields, "AttachStderr");
  settings.open_stdin = read::boolean(fields, "OpenStdin");
  settings.stdin_once = read::boolean(fields, "StdinOnce");
  settings.tty = read::boolean(fields, "Tty");
  if (fields.member("StopSignal") != nullptr) {
    settings.stop_signal = read::text(fields, "StopSignal");
  }
  settings.stop_timeout_seconds = set_integer(fields, "StopTimeout");
  settings.network_disabled = read::boolean(fields, "NetworkDisabled");
  details.volumes = read::keys(fields, "Volumes");
  auto health = nested(fields, "Healthcheck");
  details.healthcheck_test = read::texts(health, "Test");
  details.healthcheck = {.test = details.healthcheck_test,
                         .interval = nanoseconds_of(health, "Interval"),
                         .timeout = nanoseconds_of(health, "Timeout"),
                         .start_period = nanoseconds_of(health, "StartPeriod"),
                         .retries = read::integer(health, "Retries")};
  if (details.healthcheck_test == std::vector<std::string>{"NONE"}) {
    settings.healthcheck = Healthcheck::none;
  }
  close(fields, health);
  close(parent, fields);
}

std::vector<Ulimit> ulimits_of(json::Fields& host) {
  std::vector<Ulimit> out;
  const auto* items = host.array("Ulimits", SIZE_MAX);
  if (items == nullptr) return out;
  for (const auto& item : *items) {
    auto fields = read::fields(item, host.path("Ulimits"));
    Ulimit limit;
    limit.name = read::text(fields, "Name");
    limit.soft = read::integer(fields, "Soft");
    limit.hard = read::integer(fields, "Hard");
    close(host, fields);
    out.push_back(std::move(limit));
  }
  return out;
}

std::vector<VolumeMount> mounts_of(json::Fields& host) {
  std::vector<VolumeMount> out;
  const auto* items = host.array("Mounts", SIZE_MAX);
  if (items == nullptr) return out;
  for (const auto& item : *items) {
    auto fields = read::fields(item, host.path("Mounts"));
    VolumeMount mount;
    mount.volume = read::text(fields, "Source");
    mount.target = read::text(fields, "Target");
    mount.read_only = read::boolean(fields, "ReadOnly");
    // Any other type of mount must not look like one of a volume.
    if (auto type = read::text(fields, "Type"); type != "volume") {
      mount.volume = type + ":" + mount.volume;
    }
    auto options = nested(fields, "VolumeOptions");
    mount.no_copy = read::boolean(options, "NoCopy");
    close(fields, options);
    close(host, fields);
    out.push_back(std::move(mount));
  }
  return out;
}

void read_limits(json::Fields& host, ContainerSpec& settings) {
  settings.memory_bytes = set_integer(host, "Memory");
  settings.memory_swap_bytes = set_integer(host, "MemorySwap");
  settings.memory_swappiness = set_integer(host, "MemorySwappiness");
  settings.nano_cpus = set_integer(host, "NanoCpus");
  settings.pids_limit = set_integer(host, "PidsLimit");
  settings.oom_score_adj = set_integer(host, "OomScoreAdj");
  settings.shm_bytes = set_integer(host, "ShmSize");
  settings.ulimits = ulimits_of(host);
}

void read_host_config(json::Fields& parent, ContainerSpec& settings) {
  auto host = nested(parent, "HostConfig");
  read_limits(host, settings);
  settings.cap_drop = read::texts(host, "CapDrop");
  settings.cap_add = read::texts(host, "CapAdd");
  settings.security_opt = read::texts(host, "SecurityOpt");
  settings.read_only_root = read::boolean(host, "ReadonlyRootfs");
  settings.tmpfs = read::text_map(host, "Tmpfs");
  settings.mounts = mounts_of(host);
  settings.network_mode = read::text(host, "NetworkMode");
  settings.sysctls = read::text_map(host, "Sysctls");
  settings.dns = read::texts(host, "Dns");
  settings.extra_hosts = read::texts(host, "ExtraHosts");
  settings.ipc_mode = read::text(host, "IpcMode");
  settings.cgroupns_mode = read::text(host, "CgroupnsMode");
  settings.init = host.boolean("Init");
  settings.auto_remove = read::boolean(host, "AutoRemove");
  settings.runtime = read::text(host, "Runtime");
  auto log = nested(host, "LogConfig");
  settings.log_driver = read::text(log, "Type");
  settings.log_options = read::text_map(log, "Config");
  close(host, log);
  close(parent, host);
}

std::optional<std::vector<std::string>> paths_of(json::Fields& host, std::string_view key) {
  if (host.member(key) == nullptr) return std::nullopt;
  return read::texts(host, key);
}

RestartPolicy restart_of(json::Fields& host) {
  auto fields = nested(host, "RestartPolicy");
  RestartPolicy restart{.name = read::text(fields, "Name"),
                        .retries_max = read::integer(fields, "MaximumRetryCount")};
  close(host, fields);
  return restart;
}

UnaskedSettings unasked_of(json::Fields& parent) {
  auto host = nested(parent, "HostConfig");
  UnaskedSettings unasked;
  unasked.privileged = read::boolean(host, "Privileged");
  unasked.publish_all_ports = read::boolean(host, "PublishAllPorts");
  unasked.binds = read::texts(host, "Binds");
  unasked.volumes_from = read::texts(host, "VolumesFrom");
  unasked.group_add = read::texts(host, "GroupAdd");
  unasked.links = read::texts(host, "Links");
  unasked.devices = read::count(host, "Devices");
  unasked.device_requests = read::count(host, "DeviceRequests");
  unasked.device_cgroup_rules = read::count(host, "DeviceCgroupRules");
  unasked.port_bindings = read::count(host, "PortBindings");
  unasked.pid_mode = read::text(host, "PidMode");
  unasked.uts_mode = read::text(host, "UTSMode");
  unasked.userns_mode = read::text(host, "UsernsMode");
  unasked.restart_policy = restart_of(host).name;
  unasked.masked_paths = paths_of(host, "MaskedPaths");
  unasked.readonly_paths = paths_of(host, "ReadonlyPaths");
  close(parent, host);
  return unasked;
}

std::vector<MountPoint> mount_points_of(json::Fields& parent) {
  std::vector<MountPoint> out;
  const auto* items = parent.array("Mounts", SIZE_MAX);
  if (items == nullptr) return out;
  for (const auto& item : *items) {
    auto fields = read::fields(item, "Mounts");
    MountPoint mount;
    mount.type = read::text(fields, "Type");
    mount.name = read::text(fields, "Name");
    mount.source = read::text(fields, "Source");
    mount.target = read::text(fields, "Destination");
    mount.writable = read::boolean(fields, "RW");
    close(parent, fields);
    out.push_back(std::move(mount));
  }
  return out;
}

/// `"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]`, or null where nothing is published.
void add_ports(json::Fields& ports, const std::string& key, std::vector<Port>& out) {
  auto slash = std::min(key.find('/'), key.size());
  Port port;
  std::from_chars(key.data(), key.data() + slash, port.container_port);
  port.protocol = key.substr(std::min(slash + 1, key.size()));
  const auto* bindings = ports.array(key, SIZE_MAX);
  if (bindings == nullptr) {
    out.push_back(std::move(port));
    return;
  }
  for (const auto& item : *bindings) {
    auto fields = read::fields(item, ports.path(key));
    auto published = port;
    published.host_ip = read::text(fields, "HostIp");
    auto number = read::text(fields, "HostPort");
    std::uint16_t value = 0;
    auto [end, bad] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (bad == std::errc{} && value != 0) published.host_port = value;
    close(ports, fields);
    out.push_back(std::move(published));
  }
}

std::vector<Port> ports_of(json::Fields& network) {
  std::vector<Port> out;
  auto names = read::keys(network, "Ports");
  auto ports = nested(network, "Ports");
  for (const auto& name : names) add_ports(ports, name, out);
  close(network, ports);
  return out;
}

std::vector<NetworkAttachment> networks_of(json::Fields& parent) {
  std::vector<NetworkAttachment> out;
  auto names = read::keys(parent, "Networks");
  auto networks = nested(parent, "Networks");
  for (const auto& name : names) {
    auto fields = nested(networks, name);
    out.push_back({.name = name,
                   .id = read::text(fields, "NetworkID"),
                   .ip_address = read::text(fields, "IPAddress"),
                   .ipv6_address = read::text(fields, "GlobalIPv6Address"),
                   .gateway = read::text(fields, "Gateway"),
                   .mac_address = read::text(fields, "MacAddress"),
                   .aliases = read::texts(fields, "Aliases")});
    close(networks, fields);
  }
  close(parent, networks);
  return out;
}

/// What no ContainerSpec knows.
void read_facts(json::Fields& fields, ContainerDetails& details) {
  details.command = {read::text(fields, "Path")};
  for (auto& argument : read::texts(fields, "Args")) {
    details.command.push_back(std::move(argument));
  }
  details.restart_count = read::integer(fields, "RestartCount");
  details.platform = read::text(fields, "Platform");
  details.storage_driver = read::text(fields, "Driver");
  auto host = nested(fields, "HostConfig");
  details.restart = restart_of(host);
  close(fields, host);
  auto network = nested(fields, "NetworkSettings");
  details.ports = ports_of(network);
  details.networks = networks_of(network);
  close(fields, network);
}

}  // namespace

async::task<Result<ContainerDetails>> inspect_container(Client& client, std::string container) {
  Request request;
  request.doing = {"inspect", "container", container};
  if (auto valid = check_container(request.doing, container); !valid) {
    co_return fail(valid.error());
  }
  request.path = {"containers", container, "json"};
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  auto fields = read::fields(*answer, "");
  ContainerDetails details;
  details.id = read::text(fields, "Id");
  details.name = read::text(fields, "Name");
  if (details.name.starts_with('/')) details.name.erase(0, 1);
  details.created = read::text(fields, "Created");
  details.image_id = read::text(fields, "Image");
  details.state = state_of(fields);
  read_config(fields, details);
  read_host_config(fields, details.settings);
  details.unasked = unasked_of(fields);
  details.mounts = mount_points_of(fields);
  read_facts(fields, details);
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return details;
}

}  // namespace gantry::engine
