#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace gantry::access {

inline constexpr std::size_t user_name_bytes_max = 64;

/// The name in lower case, which is how names are kept and compared: 1 to 64 of [a-z0-9._@-],
/// beginning with a letter or digit. `local`, `system`, `anonymous` and `oidc` are other actors in
/// the audit log.
Result<std::string> parse_user_name(std::string_view text);

}  // namespace gantry::access
