#include "fleet/inventory.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

constexpr std::size_t named_max = 20;

bool has(const std::vector<std::string>& texts, std::string_view text) {
  return std::ranges::find(texts, text) != texts.end();
}

template <class Holds>
UsedBy users(Uses uses, const MayTell& may_tell, Holds holds) {
  UsedBy found;
  for (const auto& use : uses) {
    if (!holds(use)) continue;
    if (found.named.size() < named_max && may_tell(use)) {
      found.named.push_back({use.id, use.name.empty() ? use.id : use.name, use.state});
    } else {
      ++found.others;
    }
  }
  return found;
}

std::string sentence_of(const UsedBy& users) {
  std::string text;
  for (const auto& user : users.named) {
    text += fmt::format("{}'{}' ({})", text.empty() ? "" : ", ", user.name, user.state);
  }
  auto total = users.named.size() + users.others;
  if (users.named.empty()) {
    text = total == 1 ? "a container" : fmt::format("{} containers", total);
  } else {
    text = fmt::format("{} {}", total == 1 ? "container" : "containers", text);
    if (users.others == 1) text += " and one other";
    if (users.others > 1) text += fmt::format(" and {} others", users.others);
  }
  return fmt::format("{} {} it", text, total == 1 ? "uses" : "use");
}

bool carries(const std::map<std::string, std::string>& labels, const std::string& wanted) {
  auto equals = wanted.find('=');
  auto found = labels.find(wanted.substr(0, equals));
  if (found == labels.end()) return false;
  return equals == std::string::npos || found->second == wanted.substr(equals + 1);
}

bool fits(const std::map<std::string, std::string>& labels, const PruneWish& wish) {
  if (!wish.kept_label.empty() && labels.contains(wish.kept_label)) return false;
  return std::ranges::all_of(wish.labels,
                             [&](const std::string& label) { return carries(labels, label); });
}

bool may_go(const engine::ImageSummary& image, const std::set<std::string_view>& used,
            const PruneWish& wish) {
  if (used.contains(image.id)) return false;
  if (wish.which == PruneWish::Which::nameless && !image.tags.empty()) return false;
  if (wish.made_before && image.created >= *wish.made_before) return false;
  return fits(image.labels, wish);
}

}  // namespace

UsedBy users_of_image(Uses uses, std::string_view image_id, const MayTell& may_tell) {
  return users(uses, may_tell,
               [&](const engine::ContainerUse& use) { return use.image_id == image_id; });
}

UsedBy users_of_volume(Uses uses, std::string_view name, const MayTell& may_tell) {
  return users(uses, may_tell,
               [&](const engine::ContainerUse& use) { return has(use.volumes, name); });
}

UsedBy users_of_network(Uses uses, const engine::Network& network, const MayTell& may_tell) {
  return users(uses, may_tell, [&](const engine::ContainerUse& use) {
    return has(use.networks, network.id) || has(use.networks, network.name);
  });
}

Error in_use(std::string_view thing, std::string_view name, std::string_view host,
             const UsedBy& users) {
  return {ErrorKind::conflict, fmt::format("{}_in_use", thing),
          fmt::format("cannot remove {} '{}' on '{}': {}", thing, name, host, sentence_of(users)),
          "remove the containers that use it first"};
}

std::vector<Prunable> prunable_images(std::span<const engine::ImageSummary> images, Uses uses,
                                      const PruneWish& wish) {
  std::set<std::string_view> used;
  for (const auto& use : uses) used.insert(use.image_id);
  std::map<std::string_view, std::size_t> children;
  std::map<std::string_view, const engine::ImageSummary*> by_id;
  for (const auto& image : images) {
    by_id[image.id] = &image;
    if (!image.parent.empty()) ++children[image.parent];
  }
  // An image goes when all that is built on it has gone: from the leaves down to the bases.
  std::vector<const engine::ImageSummary*> free;
  for (const auto& image : images) {
    if (!children.contains(image.id)) free.push_back(&image);
  }
  std::vector<Prunable> out;
  while (!free.empty()) {
    const auto* image = free.back();
    free.pop_back();
    if (!may_go(*image, used, wish)) continue;
    out.push_back({image->id, image->tags, image->size_bytes, image->created});
    auto parent = by_id.find(image->parent);
    if (parent != by_id.end() && --children[image->parent] == 0) free.push_back(parent->second);
  }
  return out;
}

std::vector<Prunable> prunable_volumes(std::span<const engine::Volume> volumes, Uses uses,
                                       const PruneWish& wish) {
  std::set<std::string_view> used;
  for (const auto& use : uses) used.insert(use.volumes.begin(), use.volumes.end());
  std::vector<Prunable> out;
  for (const auto& volume : volumes) {
    if (used.contains(volume.name) || !fits(volume.labels, wish)) continue;
    if (wish.which == PruneWish::Which::nameless && !is_anonymous_volume(volume)) continue;
    out.push_back({volume.name, {volume.name}});
  }
  return out;
}

std::vector<Prunable> prunable_networks(std::span<const engine::Network> networks, Uses uses,
                                        const PruneWish& wish) {
  std::vector<Prunable> out;
  for (const auto& network : networks) {
    if (is_engines_own(network) || !fits(network.labels, wish)) continue;
    if (!users_of_network(uses, network, [](const auto&) { return true; }).nobody()) continue;
    out.push_back({network.id, {network.name}});
  }
  return out;
}

bool is_anonymous_volume(const engine::Volume& volume) {
  if (volume.labels.contains("com.docker.volume.anonymous")) return true;
  return volume.name.size() == 64 && std::ranges::all_of(volume.name, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_engines_own(const engine::Network& network) {
  constexpr std::array<std::string_view, 5> own{"bridge", "host", "none", "ingress",
                                                "docker_gwbridge"};
  return std::ranges::find(own, network.name) != own.end();
}

}  // namespace gantry::fleet
