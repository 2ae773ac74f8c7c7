#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace gantry::sandbox {

/// The seccomp profile that engines get as JSON, compiled for this machine: the instructions
/// (`struct sock_filter`) as the kernel takes them. Calls that this architecture does not have are
/// left out. Refused: what is not a profile of ours (`invalid`), what libseccomp can not compile.
Result<std::string> seccomp_filter(std::string_view profile);

}  // namespace gantry::sandbox
