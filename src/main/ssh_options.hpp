#pragma once

#include "main/settings.hpp"
#include "net/ssh_settings.hpp"

#include <filesystem>

namespace gantry::main {

/// What hosts over SSH share. `data_dir` holds the host keys that are trusted; `runtime` is where
/// systemd lets the service have private folders (RUNTIME_DIRECTORY), empty: nowhere.
net::SshPlaces ssh_places(const Settings& settings, const std::filesystem::path& data_dir,
                          std::string_view runtime);

}  // namespace gantry::main
