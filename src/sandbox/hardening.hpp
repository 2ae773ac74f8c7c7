#pragma once

#include "engine/container_spec.hpp"
#include "sandbox/executor.hpp"
#include "sandbox/images.hpp"

#include <string>
#include <vector>

namespace gantry::sandbox {

/// Where the read-only volume with gantry-init appears in a sandbox.
inline constexpr const char* init_folder = "/.gantry";
inline constexpr const char* init_path = "/.gantry/gantry-init";
inline constexpr const char* holder_path = "/.gantry/gantry-holder";

/// Who the container is for and what it may use, besides the policy.
struct Placement {
  std::string owner;        ///< The server's id.
  std::string label;        ///< By which its server knows it: an execution's id, or a box's.
  int user_id = 0;          ///< The leased slot.
  std::string init_volume;  ///< Holds gantry-init.
  WallTime deadline;        ///< After which anybody may remove it.
  /// With Network::outbound `container:<holder>`; of a holder itself the bridge.
  std::string network = {};
};

/// The one container that untrusted code gets: every setting explicit, because what is left out
/// comes from the image, and the image is attacker data.
engine::ContainerSpec hardened_container(const Policy& policy, const ServedImage& image,
                                         const Placement& placement);

/// What a holder is told (docs/network.md).
struct HolderWishes {
  std::vector<std::string> dns;
  std::vector<std::string> blocked;  ///< Prefixes of IPv4.
};
/// The container whose network namespace a sandbox with Network::outbound joins. Nobody's program
/// runs in it; it may change its network until it says that it is ready.
engine::ContainerSpec holder_container(const ServedImage& image, const Placement& placement,
                                       const HolderWishes& wishes);
/// A container that tells the addresses of the engine's host, and may do nothing at all.
engine::ContainerSpec survey_container(const ServedImage& image, const Placement& placement);

/// Of PidsLimit: the program's and gantry-init itself.
std::int64_t pids_limit_of(const Policy& policy);

}  // namespace gantry::sandbox
