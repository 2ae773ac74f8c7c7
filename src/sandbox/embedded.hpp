#pragma once

#include <string_view>

/// What the sandbox brings along, inside our own binary.
namespace gantry::sandbox::embedded {

/// The static gantry-init (src/init).
std::string_view init_program();
/// Our seccomp profile as JSON (src/sandbox/seccomp).
std::string_view seccomp_profile();

}  // namespace gantry::sandbox::embedded
