#include "engine/container_spec.hpp"

#include "base/text.hpp"
#include "engine/creating.hpp"
#include "engine/volumes.hpp"
#include "engine/write.hpp"

#include <fmt/format.h>

namespace gantry::engine {
namespace {

using write::array_of;
using write::object_of;
using write::put;

json::Array ulimits_of(const std::vector<Ulimit>& ulimits) {
  json::Array out;
  for (const auto& limit : ulimits) {
    out.emplace_back(
        json::Object{{"Name", limit.name}, {"Soft", limit.soft}, {"Hard", limit.hard}});
  }
  return out;
}

json::Array mounts_of(const std::vector<VolumeMount>& mounts) {
  json::Array out;
  for (const auto& mount : mounts) {
    out.emplace_back(mount_json(mount));
  }
  return out;
}

json::Object host_config(const ContainerSpec& spec) {
  json::Object host{{"Privileged", false},
                    {"PublishAllPorts", false},
                    {"AutoRemove", spec.auto_remove},
                    {"ReadonlyRootfs", spec.read_only_root},
                    {"RestartPolicy", json::Object{{"Name", "no"}}}};
  put(host, "Memory", spec.memory_bytes);
  put(host, "MemorySwap", spec.memory_swap_bytes);
  put(host, "MemorySwappiness", spec.memory_swappiness);
  put(host, "NanoCpus", spec.nano_cpus);
  put(host, "PidsLimit", spec.pids_limit);
  if (!spec.ulimits.empty()) host["Ulimits"] = ulimits_of(spec.ulimits);
  put(host, "CapDrop", spec.cap_drop);
  put(host, "CapAdd", spec.cap_add);
  put(host, "SecurityOpt", spec.security_opt);
  if (!spec.tmpfs.empty()) host["Tmpfs"] = object_of(spec.tmpfs);
  if (!spec.mounts.empty()) host["Mounts"] = mounts_of(spec.mounts);
  put(host, "NetworkMode", spec.network_mode);
  if (!spec.sysctls.empty()) host["Sysctls"] = object_of(spec.sysctls);
  put(host, "Dns", spec.dns);
  put(host, "ExtraHosts", spec.extra_hosts);
  put(host, "PidMode", spec.pid_mode);
  put(host, "IpcMode", spec.ipc_mode);
  put(host, "CgroupnsMode", spec.cgroupns_mode);
  put(host, "OomScoreAdj", spec.oom_score_adj);
  if (spec.log_driver) {
    host["LogConfig"] =
        json::Object{{"Type", *spec.log_driver}, {"Config", object_of(spec.log_options)}};
  }
  put(host, "Init", spec.init);
  put(host, "Runtime", spec.runtime);
  put(host, "ShmSize", spec.shm_bytes);
  return host;
}

std::unexpected<Error> refuse(std::string_view field, std::string_view why) {
  return fail(ErrorKind::invalid, "invalid_container_spec",
              fmt::format("cannot create container: {} {}", field, why));
}

/// Without capabilities the host's network can be looked at, and used as any program of the host
/// could: nobody's program may be in it.
bool only_looks_at_host(const ContainerSpec& spec) {
  return spec.host_network == HostNetwork::read_only && spec.cap_add.empty() &&
         spec.cap_drop == std::vector<std::string>{"ALL"};
}

bool only_among_anothers(const ContainerSpec& spec) {
  constexpr std::string_view begin = "container:";
  constexpr std::size_t id_length = 64;
  std::string_view mode = *spec.pid_mode;
  if (!mode.starts_with(begin) || spec.network_mode != "none") return false;
  mode.remove_prefix(begin.size());
  return mode.size() == id_length &&
         mode.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool absolute(std::string_view path) {
  return path.starts_with('/') && !path.contains('\0') && !path.contains("..");
}

}  // namespace

Result<> check(const ContainerSpec& spec) {
  if (spec.image.empty()) return refuse("image", "is missing");
  if (spec.network_mode == "host" && !only_looks_at_host(spec)) {
    return refuse("network_mode", "must not be the host's");
  }
  if (spec.pid_mode && !only_among_anothers(spec)) {
    return refuse("pid_mode", "must be another container's, by its whole id and without a network");
  }
  if (spec.cgroupns_mode == "host") return refuse("cgroupns_mode", "must not be the host's");
  if (spec.ipc_mode && (*spec.ipc_mode == "host" || spec.ipc_mode->starts_with("container:"))) {
    return refuse("ipc_mode", "must not be another's");
  }
  if (spec.working_dir && !absolute(*spec.working_dir)) {
    return refuse("working_dir", "must be an absolute path");
  }
  for (const auto& [path, options] : spec.tmpfs) {
    if (!absolute(path)) return refuse("tmpfs", "must be at an absolute path");
  }
  for (const auto& mount : spec.mounts) {
    if (!valid_volume_name(mount.volume)) return refuse("mounts", "must name a volume");
    if (!absolute(mount.target)) return refuse("mounts", "must be at an absolute path");
  }
  return ok;
}

json::Value to_json(const ContainerSpec& spec) {
  json::Object body{{"Image", spec.image},
                    {"AttachStdin", spec.attach_stdin},
                    {"AttachStdout", spec.attach_stdout},
                    {"AttachStderr", spec.attach_stderr},
                    {"OpenStdin", spec.open_stdin},
                    {"StdinOnce", spec.stdin_once},
                    {"Tty", spec.tty}};
  put(body, "User", spec.user);
  put(body, "Env", spec.env);
  if (spec.entrypoint) body["Entrypoint"] = array_of(*spec.entrypoint);
  put(body, "Cmd", spec.cmd);
  put(body, "WorkingDir", spec.working_dir);
  put(body, "Hostname", spec.hostname);
  if (!spec.labels.empty()) body["Labels"] = object_of(spec.labels);
  if (spec.healthcheck == Healthcheck::none) {
    body["Healthcheck"] = json::Object{{"Test", json::Array{"NONE"}}};
  }
  put(body, "StopSignal", spec.stop_signal);
  put(body, "StopTimeout", spec.stop_timeout_seconds);
  if (spec.network_disabled) body["NetworkDisabled"] = true;
  body["HostConfig"] = host_config(spec);
  return body;
}

}  // namespace gantry::engine
