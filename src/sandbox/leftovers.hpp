#pragma once

#include "engine/containers.hpp"

#include <functional>
#include <string>

namespace gantry::sandbox {

/// What the sweep has to know of its own server.
struct Keeper {
  std::string owner;
  bool fills_volume = false;
  std::function<bool(const std::string&)> knows;  ///< Whether a sandbox's label is in use.
};

/// Whether a container is a sandbox, or a filler of the volume, that nobody will remove any more:
/// this server's own that it does not know, or anybody's whose deadline is long past. Pure.
bool left_behind(const engine::ContainerSummary& container, const Keeper& keeper, WallTime now);

}  // namespace gantry::sandbox
