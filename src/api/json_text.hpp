#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gantry::api {

/// The value as people read JSON: Boost writes 12.5 as `1.25E1`.
std::string json_text(const json::Value& value);

/// Bytes as a JSON string literal, with Boost's short escapes; what is not UTF-8 becomes U+FFFD.
std::string json_string(std::string_view bytes);

/// RFC 3339, or null.
json::Value time_or_null(const std::optional<WallTime>& time);

}  // namespace gantry::api
