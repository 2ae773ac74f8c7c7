#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gantry::engine {

/// What the engine says of itself and its machine (GET /info, GET /version).
struct SystemInfo {
  std::string name;
  std::string engine_version;
  std::string os;            ///< `Debian GNU/Linux 12 (bookworm)`
  std::string os_type;       ///< `linux`
  std::string architecture;  ///< `x86_64`
  std::string kernel;
  std::string cgroup_version;  ///< `1` or `2`
  std::string cgroup_driver;
  std::string storage_driver;
  std::vector<std::string> security_options;  ///< `name=seccomp,profile=default`, `name=rootless`
  std::vector<std::string> runtimes;
  std::string default_runtime;
  std::int64_t cpus = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t containers_running = 0;
  std::string root_dir;
  std::string logging_driver;         ///< `json-file`
  std::vector<std::string> warnings;  ///< What the engine misses: `No swap limit support`.
  bool live_restore = false;          ///< Containers outlive the daemon's restart.
  bool swap_limit = false;
  bool memory_limit = false;
  bool pids_limit = false;
  bool cpu_quota = false;
  /// By what it reaches registries; what they hold of passwords is masked.
  std::string http_proxy;
  std::string https_proxy;
  std::vector<std::string> registry_mirrors;     ///< `https://mirror.example/`
  std::vector<std::string> insecure_registries;  ///< `registry.lan:5000`; no ranges.
};

struct EngineVersion {
  std::string version;
  std::string api_version;
  std::string min_api_version;
  std::string os;
  std::string architecture;
  std::string kernel;
  /// Of `Engine`, `containerd`, `runc`, by name.
  std::vector<std::pair<std::string, std::string>> components;
};

/// Whether the engine answers at all; renegotiates the version.
async::task<ApiVersion> ping(Client& client);
async::task<Result<EngineVersion>> version(Client& client);
async::task<Result<SystemInfo>> info(Client& client);

}  // namespace gantry::engine
