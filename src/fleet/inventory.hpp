#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/container_uses.hpp"
#include "engine/images.hpp"
#include "engine/networks.hpp"
#include "engine/volumes.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Images, volumes and networks: who uses them, and which nobody does. Pure.
namespace gantry::fleet {

/// A container that holds on to something, as its refusal names it.
struct User {
  std::string id;
  std::string name;
  std::string state;
};
using Uses = std::span<const engine::ContainerUse>;
/// Whether somebody may be told of a container.
using MayTell = std::function<bool(const engine::ContainerUse& container)>;

/// Who uses a thing: those that may be named, and how many there are besides.
struct UsedBy {
  std::vector<User> named;
  std::size_t others = 0;

  bool nobody() const { return named.empty() && others == 0; }
};
UsedBy users_of_image(Uses uses, std::string_view image_id, const MayTell& may_tell);
UsedBy users_of_volume(Uses uses, std::string_view name, const MayTell& may_tell);
UsedBy users_of_network(Uses uses, const engine::Network& network, const MayTell& may_tell);
/// `cannot remove volume 'data' on 'local': containers 'web' (running) and 2 others use it`
/// (conflict, `<thing>_in_use`).
Error in_use(std::string_view thing, std::string_view name, std::string_view host,
             const UsedBy& users);

/// What a prune may take.
struct PruneWish {
  enum class Which {
    nameless,  ///< Images without a tag, volumes that were given no name.
    unused,    ///< Whatever no container has.
  };
  Which which = Which::nameless;
  /// Images only: those made before this.
  std::optional<WallTime> made_before;
  /// `name` or `name=value`; all must hold.
  std::vector<std::string> labels;
  /// Whatever carries this label stays.
  std::string kept_label;
};

/// One thing that a prune takes.
struct Prunable {
  std::string id;                  ///< An image's or network's id, a volume's name.
  std::vector<std::string> names;  ///< An image's tags; the name of the others.
  std::int64_t size_bytes = 0;     ///< Of images; with what it shares with others.
  std::optional<WallTime> created = {};
};

/// In an order in which they can go: what is built on an image before it. `images` are all there
/// are, the intermediate ones too.
std::vector<Prunable> prunable_images(std::span<const engine::ImageSummary> images, Uses uses,
                                      const PruneWish& wish);
std::vector<Prunable> prunable_volumes(std::span<const engine::Volume> volumes, Uses uses,
                                       const PruneWish& wish);
/// Without the engine's own. A network that only stopped containers are in is used: they could not
/// be started without it.
std::vector<Prunable> prunable_networks(std::span<const engine::Network> networks, Uses uses,
                                        const PruneWish& wish);

/// Whether the engine made this name up.
bool is_anonymous_volume(const engine::Volume& volume);
/// Whether every engine has it, and nobody can remove it.
bool is_engines_own(const engine::Network& network);

}  // namespace gantry::fleet
