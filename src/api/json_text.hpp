#pragma once

#include "base/json.hpp"

#include <string>

namespace gantry::api {

/// The value as people read JSON: Boost writes 12.5 as `1.25E1`.
std::string json_text(const json::Value& value);

}  // namespace gantry::api
