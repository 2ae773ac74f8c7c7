#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::sandbox {

/// How programs of one language are run.
struct Language {
  std::string_view name;
  std::vector<std::string_view> aliases;
  std::string_view image;                 ///< The image that people expect it to run in.
  std::string_view extension;             ///< With its dot.
  std::string_view entry_file;            ///< What a single source is called below /box.
  std::vector<std::string_view> command;  ///< Before the entry file.
};

/// All of them, in the order people are told.
std::span<const Language> languages();
/// By name or alias; nullptr when unknown.
const Language* find_language(std::string_view name);
/// By the extension of a file's name; nullptr when unknown.
const Language* language_of_file(std::string_view path);
/// `python, javascript, bash, sh`: for error messages.
std::string language_names();

}  // namespace gantry::sandbox
