#pragma once

#include "doctor/facts.hpp"

#include <filesystem>

namespace gantry::doctor {

/// What of this machine bears on who may use the socket at `facts.endpoint`: the file, the groups,
/// sockets elsewhere (one in `runtime_folder` among them, unless that is empty), what may confine a
/// process. Reads files and accounts alone: nobody is asked and nothing is run.
void look_at_access(Facts& facts, const std::filesystem::path& runtime_folder);

/// Whether two paths are one file, by the links that were seen.
bool same_place(const SocketFile& one, const SocketFile& other);

/// Finds among the sockets that were seen the engine that runs as the subject, who is not root.
void find_rootless(Facts& facts);

}  // namespace gantry::doctor
