#pragma once

#include <filesystem>
#include <string>

namespace gantry::storage {

/// Throws Failure (not_found, `no_database`) where `open` would make a new file. For what only
/// reads: of a folder's mistyped name nobody is to hear that all is well there.
void require_existing(const std::string& url, const std::filesystem::path& data_directory);

}  // namespace gantry::storage
