#pragma once

#include "base/json.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gantry::cli {

/// What the bridge must know of a JSON-RPC message; the rest is the server's business.
struct AboutMessage {
  bool empty = false;                  ///< A blank line.
  std::optional<json::Value> id;       ///< Of a request.
  std::optional<std::string> cancels;  ///< The id, as JSON, of the request that is taken back.
};
AboutMessage about_message(std::string_view line);

}  // namespace gantry::cli
