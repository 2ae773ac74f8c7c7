#pragma once

#include "base/json.hpp"

#define TOML_EXCEPTIONS 0  // a file's mistakes are answers, not breakdowns
#include <toml++/toml.h>

/// TOML for readers of JSON: settings are tables, and tables are read like any other object.
namespace gantry::json {

/// A node as a value. Tables keep the order of their text; dates, which no setting of ours has,
/// are empty arrays.
Value from_toml(const toml::node& node);

}  // namespace gantry::json
