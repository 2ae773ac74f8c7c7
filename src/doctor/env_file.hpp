#pragma once

#include "base/error.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// `.env`, as Compose reads it (https://docs.docker.com/compose/how-tos/environment-variables/).
namespace gantry::doctor {

/// The text with `name` set to `value`: in place where it stands already (each time: the last one
/// holds), else at the end. Everything else stays as it is, byte by byte: comments, quotes,
/// `export`, line ends of either kind, a missing one at the end.
std::string with_variable(std::string_view text, std::string_view name, std::string_view value);
/// What the text says by its last line about `name`, without quotes; empty: nothing.
std::string variable_in(std::string_view text, std::string_view name);

/// What is in a file; nothing where it is none that can be read.
std::optional<std::string> env_file_text(const std::filesystem::path& file);

/// Does so in a file, which may be a symbolic link or not there yet; as a whole or not at all, with
/// the owner, mode and access control list that it had; a new one belongs to whose folder it is.
/// Refused: `env_file_unwritable` (denied, or what it really is), `env_file_too_large` over 1 MiB.
Result<> set_variable(const std::filesystem::path& file, std::string_view name,
                      std::string_view value);

}  // namespace gantry::doctor
