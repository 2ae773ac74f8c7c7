#pragma once

#include <string_view>

namespace gantry::main {

/// Of this program, as CMake was told.
inline constexpr std::string_view version = GANTRY_VERSION;

}  // namespace gantry::main
