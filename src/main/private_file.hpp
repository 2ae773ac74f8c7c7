#pragma once

#include <filesystem>
#include <string_view>

namespace gantry::main {

/// Writes a file that only its owner can read, replaced as a whole and on the disk when this
/// returns. Throws Failure `data_dir_not_writable`.
void write_private(const std::filesystem::path& path, std::string_view text);

}  // namespace gantry::main
