#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace gantry::doctor {

/// The first MiB of a file; nothing when it can not be read.
std::optional<std::string> file_text(const std::filesystem::path& path);

}  // namespace gantry::doctor
