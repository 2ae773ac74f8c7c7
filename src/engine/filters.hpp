#pragma once

#include "base/json.hpp"

#include <string>
#include <utility>
#include <vector>

namespace gantry::engine {

/// The engine's `filters` parameter: `{"label":["a=b"]}`.
inline std::string filters(
    const std::vector<std::pair<std::string, std::vector<std::string>>>& wanted) {
  json::Object out;
  for (const auto& [name, values] : wanted) {
    json::Array list;
    for (const auto& value : values) list.emplace_back(value);
    out[name] = std::move(list);
  }
  return json::serialize(out);
}

}  // namespace gantry::engine
