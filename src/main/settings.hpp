#pragma once

#include "base/error.hpp"
#include "sandbox/images.hpp"
#include "sandbox/languages.hpp"
#include "sandbox/policy_bounds.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Settings as texts, with where each came from, before they are given types.
namespace gantry::main {

/// One setting's value: several texts for a list, else one.
struct Given {
  std::vector<std::string> texts;
  std::string origin;  ///< `--listen`, `GANTRY_LISTEN`, `/etc/gantry/gantry.toml:3`: for errors.
  bool operator==(const Given&) const = default;
};
/// By the name in gantry.toml: `data_dir`.
using Settings = std::map<std::string, Given, std::less<>>;
using Variables = std::map<std::string, std::string, std::less<>>;

/// What GANTRY_LISTEN and the like say; empty variables count as not set.
Settings settings_of_environment(const Variables& variables);

struct ConfigFile {
  Settings settings;
  /// `[images.aliases]`, the whole table, when there is one.
  std::optional<sandbox::ImageAliases> aliases;
  std::optional<sandbox::Languages> languages;  ///< `[languages]` over those that were shipped.
  std::optional<sandbox::ServerBounds> bounds;  ///< `[limits]`
};
/// Reads gantry.toml. An unknown key, a wrong type or bad syntax is an error that names
/// `file:line`.
Result<ConfigFile> parse_config(std::string_view text, const std::string& file);

/// `stronger` over `weaker`.
Settings merged(Settings weaker, const Settings& stronger);

/// Readers of one setting; `fallback` when nobody has given it.
std::string text_setting(const Settings& settings, std::string_view key, std::string fallback);
Result<std::size_t> number_setting(const Settings& settings, std::string_view key,
                                   std::size_t fallback, std::size_t max, std::size_t min = 1);
/// Answers the index of the word in `words`.
Result<std::size_t> word_setting(const Settings& settings, std::string_view key,
                                 std::size_t fallback, const std::vector<std::string>& words);
/// `true`, `yes`, `on`, `1` and their opposites.
Result<bool> switch_setting(const Settings& settings, std::string_view key);

}  // namespace gantry::main
