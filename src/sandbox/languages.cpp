#include "sandbox/languages.hpp"

#include <algorithm>

#include <fmt/ranges.h>

namespace gantry::sandbox {
namespace {

const std::vector<Language>& table() {
  // `-u`: what a program wrote before it was killed is not lost in a buffer.
  static const std::vector<Language> languages{
      {"python", {"python3", "py"}, "python:3.11-alpine", ".py", "main.py", {"python3", "-u"}},
      {"javascript", {"node", "js"}, "node:20-alpine", ".js", "main.js", {"node"}},
      // alpine has no bash: "bash" promises a shell, as its users' systems always did.
      {"bash", {}, "alpine:latest", ".bash", "main.sh", {"sh"}},
      {"sh", {"shell"}, "alpine:latest", ".sh", "main.sh", {"sh"}},
  };
  return languages;
}

}  // namespace

std::span<const Language> languages() { return table(); }

const Language* find_language(std::string_view name) {
  for (const auto& language : table()) {
    if (language.name == name ||
        std::ranges::find(language.aliases, name) != language.aliases.end()) {
      return &language;
    }
  }
  return nullptr;
}

const Language* language_of_file(std::string_view path) {
  for (const auto& language : table()) {
    if (path.ends_with(language.extension)) return &language;
  }
  return nullptr;
}

std::string language_names() {
  std::vector<std::string_view> names;
  for (const auto& language : table()) names.push_back(language.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace gantry::sandbox
