#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/containers.hpp"
#include "engine/system.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

/// The hosts, and what is known of them.
namespace gantry::fleet {

/// A container as people see it. Values of labels whose names say secret are masked.
struct Container {
  std::string id;
  std::string name;
  std::string image;
  std::string state;
  std::string status;
  WallTime created;
  std::vector<engine::Port> ports;
  std::map<std::string, std::string> labels;
  std::optional<std::string> project;  ///< The Compose project it belongs to,
  std::optional<std::string> service;  ///< and which of its services it is.
  bool operator==(const Container&) const = default;
};

/// Masks what must not be shown and reads the Compose labels.
Container container_of(const engine::ContainerSummary& summary);

enum class EngineState {
  connecting,  ///< Nothing is known yet.
  connected,
  unreachable,
};

/// What is known of a host's containers. When the link breaks it is kept, and marked stale.
struct ContainerView {
  std::vector<Container> items;  ///< Newest first.
  bool stale = true;
  /// When it was true last; absent before the first list.
  std::optional<WallTime> as_of;

  EngineState engine = EngineState::connecting;
  std::string endpoint;
  std::optional<engine::ApiVersion> api_version;
  /// The facts of the last connection; kept while unreachable.
  std::optional<engine::SystemInfo> system;
  /// Why the engine is unreachable.
  std::optional<Error> error;
};

}  // namespace gantry::fleet
