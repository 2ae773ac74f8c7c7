#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What an engine keeps on its disk (GET /system/df). It walks its whole store for that: seconds
/// to minutes on a full machine.
namespace gantry::engine {

struct ImageUsage {
  std::string id;
  std::vector<std::string> tags;
  std::int64_t size_bytes = 0;
  std::int64_t shared_bytes = 0;  ///< Of these, what other images have, too.
  std::int64_t containers = 0;    ///< Made of it.
};
struct ContainerUsage {
  std::string id;
  std::string name;
  std::string state;
  std::int64_t written_bytes = 0;  ///< On top of its image.
};
struct VolumeUsage {
  std::string name;
  std::optional<std::int64_t> size_bytes;  ///< Nothing: its driver does not tell.
  std::int64_t containers = 0;             ///< That have it.
};
struct CacheUsage {
  std::string id;
  std::string type;
  std::string description;
  std::int64_t size_bytes = 0;
  bool in_use = false;
  bool shared = false;
};

struct DiskUsage {
  std::int64_t layers_bytes = 0;  ///< All images together, what they share counted once.
  std::vector<ImageUsage> images;
  std::vector<ContainerUsage> containers;
  std::vector<VolumeUsage> volumes;
  std::vector<CacheUsage> build_cache;
};

/// GET /system/df. The engine counts anew, which takes it seconds where there is much.
async::task<Result<DiskUsage>> disk_usage(Client& client);

}  // namespace gantry::engine
