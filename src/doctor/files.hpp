#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::doctor {

/// The first MiB of a file; nothing when it can not be read.
std::optional<std::string> file_text(const std::filesystem::path& path);

/// The file of a program in the folders of `path` (PATH); empty: in none.
std::string found_in(std::string_view path, const std::string& program);

}  // namespace gantry::doctor
