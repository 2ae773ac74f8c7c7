#pragma once

#include <string>
#include <string_view>

namespace gantry::doctor {

/// The text that tells of a far machine: POSIX shell language, for dash, bash and busybox alike. It
/// reads, asks `docker` and its plugins for their versions, and changes nothing. `socket` is the
/// path in question; empty: Docker's usual one, or what DOCKER_HOST names where that is not there.
/// `data_root` is the engine's folder. Both are plain ones (is_plain_path). far_facts.hpp reads
/// what it prints.
std::string far_script(const std::string& socket, std::string_view data_root);

/// Whether a path is absolute and holds letters, digits and `/._+@-` alone, so that no shell can
/// take it for more than a name.
bool is_plain_path(std::string_view path);

}  // namespace gantry::doctor
