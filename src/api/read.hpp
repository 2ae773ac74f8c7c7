#pragma once

#include "base/clock.hpp"

#include <optional>
#include <string_view>

namespace gantry::api {

/// A time of RFC 3339 with `Z` or an offset, `2026-11-22T00:30:00.125+01:00`; nothing when it is
/// not one. Digits after the third of a fraction are dropped.
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace gantry::api
