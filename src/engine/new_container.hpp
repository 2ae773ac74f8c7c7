#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "engine/container_spec.hpp"
#include "engine/containers.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::engine {

/// A port of a container that is reachable from outside.
struct PublishedPort {
  std::uint16_t container_port = 0;
  std::string protocol = "tcp";            ///< `tcp`, `udp`, `sctp`
  std::optional<std::uint16_t> host_port;  ///< Absent: the engine takes a free one.
  std::string host_ip;                     ///< Empty: all addresses.
};

/// A folder or file of the host in a container.
struct BindMount {
  std::string source;
  std::string target;
  bool read_only = false;
};

struct DeviceMapping {
  std::string host_path;
  std::string container_path;
  std::string permissions = "rwm";  ///< Of `r`, `w`, `m`.
};

/// Everything people can ask of a container that is not a sandbox, dangerous things included:
/// whoever calls `create_container` with one has judged it (fleet/creation.hpp). An absent optional
/// leaves the matter to the image or the engine. ContainerSpec, the sandboxes', knows no dangers.
struct NewContainer {
  std::string image;
  std::optional<std::vector<std::string>> entrypoint;
  std::vector<std::string> command;
  std::vector<std::string> env;  ///< `NAME=value`
  std::map<std::string, std::string> labels;
  std::optional<std::string> user;
  std::optional<std::string> working_dir;
  std::optional<std::string> hostname;
  std::vector<PublishedPort> ports;
  std::vector<VolumeMount> volumes;
  std::vector<BindMount> binds;
  /// Path to mount options: `/tmp` -> `rw,size=65536k`.
  std::map<std::string, std::string> tmpfs;
  RestartPolicy restart{.name = "no"};
  std::optional<HealthcheckSettings> healthcheck;
  /// `bridge`, `none`, `host` or a network's name.
  std::optional<std::string> network;
  std::vector<std::string> network_aliases;
  std::vector<std::string> dns;
  std::vector<std::string> extra_hosts;  ///< `name:address`

  std::optional<std::int64_t> memory_bytes;
  std::optional<std::int64_t> memory_swap_bytes;
  std::optional<std::int64_t> nano_cpus;
  std::optional<std::int64_t> pids_limit;
  std::optional<std::int64_t> cpu_shares;
  std::optional<std::int64_t> shm_bytes;

  bool tty = false;
  bool open_stdin = false;
  bool read_only_root = false;
  bool no_new_privileges = false;
  std::optional<bool> init;
  std::optional<std::string> stop_signal;
  std::optional<std::int64_t> stop_timeout_seconds;
  std::vector<std::string> cap_drop;

  std::vector<std::string> cap_add;
  bool privileged = false;
  bool host_pid = false;
  bool host_ipc = false;
  bool seccomp_unconfined = false;
  bool apparmor_unconfined = false;
  std::vector<DeviceMapping> devices;
};

/// The body of `POST /containers/create`.
json::Value to_json(const NewContainer& wanted);

/// `name` may be empty: the engine makes one up.
async::task<Result<CreatedContainer>> create_container(Client& client, std::string name,
                                                       const NewContainer& wanted);

/// In what the container's reach is not the one that was asked for; empty: in nothing. An engine's
/// defaults, its plugins and its image can not widen it unseen.
std::vector<std::string> wider_than_wanted(const NewContainer& wanted,
                                           const ContainerDetails& details);

}  // namespace gantry::engine
