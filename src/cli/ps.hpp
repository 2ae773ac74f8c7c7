#pragma once

#include "base/error.hpp"
#include "base/json.hpp"

#include <string>
#include <vector>

namespace gantry::cli {

/// `gantry ps` for people.
struct ContainerView {
  std::string table;
  std::vector<std::string> notes;  ///< Of each host whose containers are not known to be so.
};

/// Of each host of such an answer that is away: `host 'web1' has not been reached yet: <why>`.
std::vector<std::string> away_hosts(const json::Value& answer);
/// Their names.
std::vector<std::string> names_of_away_hosts(const json::Value& answer);

/// An answer of /api/v1/containers as a table. Refuses what is none.
Result<ContainerView> container_view(const json::Value& answer);

}  // namespace gantry::cli
