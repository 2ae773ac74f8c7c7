#include "fleet/side_lists.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/text.hpp"
#include "engine/images.hpp"
#include "engine/networks.hpp"
#include "engine/volumes.hpp"
#include "fleet/trim.hpp"

#include <algorithm>
#include <map>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

/// Events of these sorts after which a list is another one; what containers do to networks and
/// volumes is none of them.
struct Telling {
  std::string_view type;
  std::string_view action;
};
constexpr std::array changes{
    Telling{"image", "delete"},    Telling{"image", "import"},   Telling{"image", "load"},
    Telling{"image", "pull"},      Telling{"image", "tag"},      Telling{"image", "untag"},
    Telling{"image", "prune"},     Telling{"image", "create"},   Telling{"network", "create"},
    Telling{"network", "destroy"}, Telling{"network", "remove"}, Telling{"network", "update"},
    Telling{"volume", "create"},   Telling{"volume", "destroy"}, Telling{"volume", "prune"}};
constexpr std::array<std::string_view, 3> types{"image", "network", "volume"};

const std::string& key_of(const engine::ImageSummary& image) { return image.id; }
const std::string& key_of(const engine::Network& network) { return network.id; }
const std::string& key_of(const engine::Volume& volume) { return volume.name; }

void unite(std::vector<std::string>& texts, std::vector<std::string> more) {
  for (auto& text : more) {
    if (std::ranges::find(texts, text) == texts.end()) texts.push_back(std::move(text));
  }
}

/// Engines that keep images in containerd tell one of several names once for each name.
void unite(engine::ImageSummary& image, engine::ImageSummary again) {
  unite(image.tags, std::move(again.tags));
  unite(image.digests, std::move(again.digests));
  trim(image);
}
void unite(engine::Network& /*network*/, engine::Network /*again*/) {}
void unite(engine::Volume& /*volume*/, engine::Volume /*again*/) {}

/// Trimmed, and what is there twice once: everybody tells things apart by their keys.
template <class T>
std::vector<T> told_once(std::vector<T> listed) {
  std::vector<T> kept;
  std::map<std::string, std::size_t> places;
  for (auto& item : listed) {
    auto [place, is_new] = places.emplace(key_of(item), kept.size());
    trim(item);
    if (is_new) {
      kept.push_back(std::move(item));
    } else {
      unite(kept[place->second], std::move(item));
    }
  }
  return kept;
}

/// Cuts a list that is too long, and says so; and what is too long in it.
template <class T>
Result<> take(Result<std::vector<T>> listed, std::vector<T>& into, std::size_t max,
              std::string_view called) {
  if (!listed) return fail(std::move(listed.error()));
  auto kept = told_once(std::move(*listed));
  auto total = kept.size();
  if (total > max) kept.resize(max);
  into = std::move(kept);
  if (total <= max) return ok;
  return fail(ErrorKind::too_large, "list_cut_short",
              fmt::format("cannot show all {}: there are {}, and {} are kept", called, total, max));
}

}  // namespace

void SideLists::note(const engine::Event& event) {
  bool is_change = std::ranges::any_of(changes, [&](const Telling& change) {
    return change.type == event.type && change.action == event.action;
  });
  if (!is_change) return;
  auto type = std::ranges::find(types, event.type);
  stale_[static_cast<std::size_t>(type - types.begin())] = true;
  wanted_.notify();
}

void SideLists::want_all() {
  stale_.fill(true);
  wanted_.notify();
}

async::task<void> SideLists::wait(Milliseconds longest) {
  if (std::ranges::find(stale_, true) != stale_.end()) co_return;
  auto woken = co_await async::attempt(
      async::with_deadline(longest, "waiting for an event", wanted_.wait()));
  if (!woken) want_all();
}

async::task<bool> SideLists::refresh(HostView& view) {
  bool came = false;
  auto stale = std::exchange(stale_, {});
  for (std::size_t i = 0; i < sorts; ++i) {
    if (!stale[i]) continue;
    auto listed = co_await async::attempt(list(static_cast<Sort>(i), view));
    auto before = std::exchange(troubles_[i], std::nullopt);
    if (!listed) troubles_[i] = text::shortened(text::one_line(listed.error().message), 300);
    came = came || listed.has_value() || before != troubles_[i];
  }
  co_return came;
}

async::task<Result<>> SideLists::list(Sort sort, HostView& view) {
  switch (sort) {
    case Sort::images:
      co_return take(co_await engine::list_images(client_), view.images, images_max, "images");
    case Sort::networks: {
      auto done =
          take(co_await engine::list_networks(client_), view.networks, networks_max, "networks");
      std::ranges::sort(view.networks, {}, &engine::Network::name);
      co_return done;
    }
    case Sort::volumes: {
      auto done =
          take(co_await engine::list_volumes(client_, {}), view.volumes, volumes_max, "volumes");
      std::ranges::sort(view.volumes, {}, &engine::Volume::name);
      co_return done;
    }
  }
  co_return ok;
}

std::vector<std::string> SideLists::warnings() const {
  std::vector<std::string> warnings;
  for (const auto& trouble : troubles_) {
    if (trouble) warnings.push_back(*trouble);
  }
  return warnings;
}

}  // namespace gantry::fleet
