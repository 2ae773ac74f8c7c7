#pragma once

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/commands.hpp"

#include <string>

namespace gantry::cli {

/// `GET /api/v1/containers` for people.
struct ContainerView {
  std::string table;
  std::string note;  ///< That it may be out of date; empty when it is not.
};
/// Refuses an answer that is not a list of containers.
Result<ContainerView> container_view(const json::Value& answer);

}  // namespace gantry::cli
