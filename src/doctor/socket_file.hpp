#pragma once

#include "doctor/facts.hpp"

#include <string>
#include <string_view>

namespace gantry::doctor {

/// What is at `path`: kind, owner, mode, access control list, mount. Never fails: what can not be
/// seen is `missing` or `hidden`.
SocketFile look_at_socket(const std::string& path);

/// What /proc/self/mountinfo (proc(5)) tells of one path.
struct MountOf {
  bool own = false;  ///< A mount at this very path.
  bool read_only = false;
};
MountOf mount_of(std::string_view mountinfo, std::string_view path);

}  // namespace gantry::doctor
