#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "sandbox/policy_bounds.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gantry::sandbox {

/// How programs of one language are run. Commands have places for the program's files
/// (`command_of`).
struct Language {
  std::string name;
  std::vector<std::string> aliases;
  std::string version;                  ///< Of what the image has; empty when that is not known.
  std::string image;                    ///< The image that people expect it to run in.
  std::vector<std::string> extensions;  ///< With their dots, the usual one first.
  std::string entry_file;               ///< What a single source is called below /box.
  std::vector<std::string> compile;     ///< Empty for what is not compiled beforehand.
  Milliseconds compile_time{10'000};    ///< What a compilation usually may take.
  std::vector<std::string> run;
  std::vector<std::pair<std::string, std::string>> env;  ///< Unless a request says otherwise.
  UsualLimits limits;                                    ///< Where a request says nothing.
  bool prewarm = false;  ///< Its interpreter may wait, booted, for its program.

  bool has_extension(std::string_view path) const;
};

/// Which files a command is about.
struct CommandFiles {
  std::string entry;
  std::vector<std::string> paths;  ///< All files of the program, the entry among them.
  std::string box = ".";           ///< `/box` for a command that starts in another folder.
};

/// `command` with its places filled: {entry}, {stem}, {box} within words, {sources} and
/// {siblings} as words of their own.
std::vector<std::string> command_of(const Language& language,
                                    const std::vector<std::string>& command,
                                    const CommandFiles& files);

/// A table of languages. A value.
class Languages {
 public:
  /// The table that was shipped.
  Languages();
  /// The shipped table with `[languages]` of gantry.toml over it: what is given replaces what
  /// was shipped, key by key; a new name adds a language; `enabled = false` removes one.
  static Result<Languages> read(const json::Value& changes);

  /// All of them, in the order people are told.
  std::span<const Language> all() const { return table_; }
  /// By name or alias, in small letters or not; nullptr when unknown.
  const Language* find(std::string_view name) const;
  /// By the extension of a file's name; nullptr when unknown.
  const Language* of_file(std::string_view path) const;
  /// `python, javascript, …`: for error messages.
  std::string names() const;

 private:
  std::vector<Language> table_;
};

/// The table that was shipped: what holds where no server has its own.
const Languages& shipped_languages();

}  // namespace gantry::sandbox
