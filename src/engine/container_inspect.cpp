#include "engine/containers.hpp"
#include "engine/names.hpp"
#include "engine/read.hpp"

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
  close(fields, health);
  close(parent, fields);
  return state;
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
  auto restart = nested(host, "RestartPolicy");
  unasked.restart_policy = read::text(restart, "Name");
  close(host, restart);
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
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return details;
}

}  // namespace gantry::engine
