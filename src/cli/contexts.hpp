#pragma once

#include "base/error.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace gantry::cli {

/// A server that this user works with.
struct ServerContext {
  std::string server;      ///< `https://gantry.example.org`
  std::string token_file;  ///< Empty: the usual one.
  bool operator==(const ServerContext&) const = default;
};

/// `~/.config/gantry/contexts.toml`
struct Contexts {
  std::string current;  ///< Empty: none is in use.
  std::map<std::string, ServerContext> all;

  static constexpr const char* file_name = "contexts.toml";
};

/// Refuses (invalid, `bad_contexts`) what is no such file, and names the line.
Result<Contexts> parse_contexts(std::string_view text, const std::string& file);
std::string contexts_text(const Contexts& contexts);

/// The file's; none when it is not there.
Result<Contexts> read_contexts(const std::filesystem::path& folder);
/// Replaces the file as a whole, readable for its owner alone.
Result<> write_contexts(const std::filesystem::path& folder, const Contexts& contexts);

}  // namespace gantry::cli
