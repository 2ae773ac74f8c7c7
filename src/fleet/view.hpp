#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/containers.hpp"
#include "engine/images.hpp"
#include "engine/networks.hpp"
#include "engine/system.hpp"
#include "engine/volumes.hpp"
#include "fleet/labels.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The hosts, and what is known of them.
namespace gantry::fleet {

/// What a container's own health check says.
enum class Health : std::uint8_t {
  none,  ///< It has none.
  starting,
  healthy,
  unhealthy,
};
/// `none`, `starting`, `healthy`, `unhealthy`.
std::string_view word(Health health);
/// Nothing for any other word.
std::optional<Health> parse_health(std::string_view word);
/// From the engine's words: `Up 2 hours (health: starting)`.
Health health_in(std::string_view status);

/// A container as people see it. Values of labels whose names say secret are masked.
struct Container {
  std::string id;
  std::string name;
  std::string image;
  std::string image_id;
  std::string state;
  std::string status;
  Health health = Health::none;
  WallTime created;
  std::vector<engine::Port> ports;
  Labels labels;
  std::optional<std::string> project;  ///< The Compose project it belongs to,
  std::optional<std::string> service;  ///< and which of its services it is.
  /// Whatever a search looks through, in lower case; made with the rest, once.
  std::string searched;
  bool operator==(const Container&) const = default;
};

/// Masks what must not be shown and reads the Compose labels.
Container container_of(const engine::ContainerSummary& summary);

enum class EngineState {
  connecting,  ///< Nothing is known yet.
  connected,
  unreachable,
  disabled,  ///< Nobody tries.
};
/// `connecting`, `connected`, `unreachable`, `disabled`.
std::string_view word(EngineState state);

/// What is known of a host. When the link breaks it is kept, and marked stale.
struct HostView {
  std::vector<Container> containers;         ///< Newest first.
  std::vector<engine::ImageSummary> images;  ///< Newest first.
  std::vector<engine::Network> networks;     ///< By name.
  std::vector<engine::Volume> volumes;       ///< By name.
  bool stale = true;
  /// When it was true last; absent before the first list.
  std::optional<WallTime> as_of;

  EngineState state = EngineState::connecting;
  /// Since when it is in this state.
  WallTime since;
  std::string endpoint;
  std::optional<engine::ApiVersion> api_version;
  /// The facts of the last connection; kept while unreachable.
  std::optional<engine::SystemInfo> system;
  /// Why the engine is unreachable.
  std::optional<Error> error;
  /// What else is not as it should be: lists that the engine refuses, or that were cut short.
  std::vector<std::string> warnings;
};

}  // namespace gantry::fleet
