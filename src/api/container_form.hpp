#pragma once

#include "base/error.hpp"
#include "base/json.hpp"
#include "engine/new_container.hpp"
#include "fleet/actions.hpp"
#include "fleet/creation.hpp"

#include <string>
#include <vector>

/// What people send about containers, as types. Nobody's JSON reaches an engine.
namespace gantry::api {

/// Everything in `ContainerForm` of openapi.yaml.
struct ContainerForm {
  std::string name;
  engine::NewContainer wanted;
  std::vector<fleet::Danger> dangers;
  fleet::Creation::Start start = fleet::Creation::Start::yes;
};
Result<ContainerForm> read_container_form(const json::Value& body);

/// The members an action takes; of others' it refuses to know. `fields` is the whole body, whose
/// `finish` is the caller's.
fleet::ActionParameters read_action_parameters(json::Fields& fields, std::string_view action);

}  // namespace gantry::api
