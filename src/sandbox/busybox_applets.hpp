#pragma once

#include <span>
#include <string_view>

namespace gantry::sandbox {

/// Where the commands of busybox go in an image (`bin/cat`): those that a program without
/// privileges and network can use, from Debian's busybox-static.
std::span<const std::string_view> busybox_applets();

}  // namespace gantry::sandbox
