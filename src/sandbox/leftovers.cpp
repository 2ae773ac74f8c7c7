#include "sandbox/leftovers.hpp"

#include "sandbox/init_volume.hpp"
#include "sandbox/labels.hpp"
#include "sandbox/slots.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

namespace gantry::sandbox {
namespace {

// After its deadline anybody may remove a container whose server seems to be gone.
constexpr Seconds orphan_grace{60};
constexpr Seconds filler_grace{10};

std::string label(const engine::ContainerSummary& container, const char* name) {
  auto found = container.labels.find(name);
  return found == container.labels.end() ? std::string{} : found->second;
}

/// When anybody may remove a container: the label is anybody's text, an image's among others, so
/// what is no time of this or the next century is no deadline.
std::optional<WallTime> deadline_of(const engine::ContainerSummary& container) {
  constexpr std::int64_t seconds_max = 10'000'000'000;
  auto text = label(container, labels::deadline);
  std::int64_t seconds = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || seconds <= 0 || seconds > seconds_max) return std::nullopt;
  return WallTime{Seconds{seconds}};
}

/// What a container is by its kind and its name together: a container inherits the labels of its
/// image, but nobody else gives it our names.
enum class Kind { sandbox, filler, foreign };

Kind kind_of(const engine::ContainerSummary& container) {
  auto kind = label(container, labels::kind);
  auto named = [&](auto matches) { return std::ranges::any_of(container.names, matches); };
  if ((kind == "sandbox" || kind == "network") && named(Slots::is_container_name))
    return Kind::sandbox;
  bool fills = named([](std::string_view name) { return name.starts_with(filler_name_begin); });
  return kind == "init-volume" && fills ? Kind::filler : Kind::foreign;
}

}  // namespace

bool left_behind(const engine::ContainerSummary& container, const Keeper& keeper, WallTime now) {
  bool ours = label(container, labels::owner) == keeper.owner;
  switch (kind_of(container)) {
    case Kind::foreign:
      return false;
    // Filling the volume takes a second, and an engine may still be at it for a server that was
    // killed.
    case Kind::filler:
      return now - container.created > filler_grace && !(ours && keeper.fills_volume);
    case Kind::sandbox:
      break;
  }
  if (ours) return !keeper.knows(label(container, labels::execution));
  auto deadline = deadline_of(container);
  return deadline && now > *deadline + orphan_grace;
}

}  // namespace gantry::sandbox
