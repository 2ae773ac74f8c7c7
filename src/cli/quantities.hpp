#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string_view>

namespace gantry::cli {

/// `5s`, `500ms`, `1.5m`, `1h`; a number alone is seconds. In milliseconds, at least 1.
Result<std::int64_t> parse_duration(std::string_view text);
/// `128m`, `1g`, `512k`, `64MiB`; a number alone is bytes. Powers of 1024, as Docker has them.
Result<std::int64_t> parse_size(std::string_view text);

}  // namespace gantry::cli
