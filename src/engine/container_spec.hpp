#pragma once

#include "base/error.hpp"
#include "base/json.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gantry::engine {

struct Ulimit {
  std::string name;  ///< `nofile`
  std::int64_t soft = 0;
  std::int64_t hard = 0;
  auto operator<=>(const Ulimit&) const = default;
};

/// A named volume in a container: the only kind of mount this client can ask for.
struct VolumeMount {
  std::string volume;
  std::string target;
  bool read_only = true;
  /// Whether the engine may fill an empty volume with what the image has at `target`.
  bool no_copy = true;
  auto operator<=>(const VolumeMount&) const = default;
};

enum class Healthcheck { from_image, none };

/// Whether `network_mode` may be the host's: only of a container without any capability, in which
/// nobody's program runs.
enum class HostNetwork { refused, read_only };

/// Everything that can be asked of a new container; what is not here can not be asked for
/// (privileges, devices, host paths, host namespaces). Nobody's JSON is forwarded: `to_json`
/// writes it out. An absent optional leaves the matter to the image or the engine.
struct ContainerSpec {
  std::string image;
  std::optional<std::string> user;
  /// `NAME=value`; `NAME` alone removes the image's variable.
  std::vector<std::string> env;
  std::optional<std::vector<std::string>> entrypoint;
  std::vector<std::string> cmd;
  std::optional<std::string> working_dir;
  std::optional<std::string> hostname;
  std::map<std::string, std::string> labels;
  bool attach_stdin = false;
  bool attach_stdout = false;
  bool attach_stderr = false;
  bool open_stdin = false;
  bool stdin_once = false;
  bool tty = false;
  Healthcheck healthcheck = Healthcheck::from_image;
  std::optional<std::string> stop_signal;
  std::optional<std::int64_t> stop_timeout_seconds;
  bool network_disabled = false;

  std::optional<std::int64_t> memory_bytes;
  /// Memory plus swap.
  std::optional<std::int64_t> memory_swap_bytes;
  std::optional<std::int64_t> memory_swappiness;
  std::optional<std::int64_t> nano_cpus;
  std::optional<std::int64_t> pids_limit;
  std::vector<Ulimit> ulimits;
  std::vector<std::string> cap_drop;
  std::vector<std::string> cap_add;
  /// `no-new-privileges:true`, `seccomp={…}`
  std::vector<std::string> security_opt;
  bool read_only_root = false;
  /// Path to mount options: `/tmp` -> `rw,noexec,nosuid,size=65536k`.
  std::map<std::string, std::string> tmpfs;
  std::vector<VolumeMount> mounts;
  /// `none`, `bridge`, a network's id, `container:<id>`; `host` only with HostNetwork::read_only.
  std::optional<std::string> network_mode;
  HostNetwork host_network = HostNetwork::refused;
  /// `container:<whole id>`: among another's processes; only without a network of its own.
  std::optional<std::string> pid_mode;
  /// Of the container's own namespaces: `net.ipv4.conf.all.rp_filter`.
  std::map<std::string, std::string> sysctls;
  std::vector<std::string> dns;
  std::vector<std::string> extra_hosts;
  std::optional<std::string> ipc_mode;
  std::optional<std::string> cgroupns_mode;
  std::optional<std::int64_t> oom_score_adj;
  std::optional<std::string> log_driver;
  std::map<std::string, std::string> log_options;
  /// Docker's own init as PID 1.
  std::optional<bool> init;
  bool auto_remove = false;
  std::optional<std::string> runtime;
  std::optional<std::int64_t> shm_bytes;
  // Restart is always `no`; MaskedPaths and ReadonlyPaths are never sent, so the engine's own
  // lists hold.
};

/// Refuses (invalid, `invalid_container_spec`) what could reach out of a container: the host's
/// namespaces, host paths posing as volumes, paths that are not absolute.
Result<> check(const ContainerSpec& spec);
/// The body of `POST /containers/create`.
json::Value to_json(const ContainerSpec& spec);

}  // namespace gantry::engine
