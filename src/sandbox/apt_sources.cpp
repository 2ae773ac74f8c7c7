#include "sandbox/apt_sources.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::sandbox {
namespace {

using Words = std::vector<std::string>;
/// The fields of one deb822 stanza, names in lower case.
using Stanza = std::map<std::string, std::string, std::less<>>;

/// What both notations say of one source.
struct Source {
  Words types;
  Words uris;
  Words suites;
  Words components;
  std::map<std::string, std::string> options;
};

Words words_of(std::string_view line) {
  Words words;
  std::string word;
  for (char c : line) {
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

bool contains(const Words& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

/// `deb [signed-by=/k arch=amd64] http://… bookworm main`
std::optional<Source> parse_line(std::string_view line) {
  line = line.substr(0, line.find('#'));
  Source source;
  if (auto open = line.find('['); open != line.npos) {
    auto close = line.find(']', open);
    if (close == line.npos) return std::nullopt;
    for (const auto& option : words_of(line.substr(open + 1, close - open - 1))) {
      auto equals = std::min(option.find('='), option.size() - 1);
      source.options[text::lowered(option.substr(0, equals))] = option.substr(equals + 1);
    }
    source.types = words_of(line.substr(0, open));
    line.remove_prefix(close + 1);
  }
  auto words = words_of(line);
  if (source.types.empty() && !words.empty()) {
    source.types = {words.front()};
    words.erase(words.begin());
  }
  if (words.size() < 3) return std::nullopt;
  source.uris = {words[0]};
  source.suites = {words[1]};
  source.components.assign(words.begin() + 2, words.end());
  return source;
}

std::vector<Stanza> parse_stanzas(std::string_view content) {
  std::vector<Stanza> stanzas(1);
  std::string last;
  for (auto line : text::split(content, '\n')) {
    if (line.starts_with('#')) continue;
    if (text::trimmed(line).empty()) {
      if (!stanzas.back().empty()) stanzas.emplace_back();
      last.clear();
    } else if (line.front() == ' ' || line.front() == '\t') {
      if (!last.empty()) stanzas.back()[last].append("\n").append(line);
    } else if (auto colon = line.find(':'); colon != line.npos) {
      last = text::lowered(line.substr(0, colon));
      stanzas.back()[last] = text::trimmed(line.substr(colon + 1));
    }
  }
  return stanzas;
}

std::optional<Source> source_of(Stanza stanza) {
  if (text::iequals(stanza["enabled"], "no")) return std::nullopt;
  Source source{words_of(stanza["types"]),
                words_of(stanza["uris"]),
                words_of(stanza["suites"]),
                words_of(stanza["components"]),
                {}};
  for (const auto* name : {"signed-by", "trusted", "check-valid-until"}) {
    if (!stanza[name].empty()) source.options[name] = stanza[name];
  }
  return source;
}

/// `http://mirror.example/debian-security/` has one of the archives' own folder names in its path.
bool is_archive(const std::string& uri) {
  static const std::set<std::string_view> folders{"debian", "debian-security", "debian-archive",
                                                  "ubuntu", "ubuntu-ports"};
  if (uri.starts_with("cdrom:")) return false;
  auto host = uri.find("://");
  if (host == uri.npos) return false;
  auto parts = text::split(std::string_view{uri}.substr(host + 3), '/');
  bool by_path =
      std::any_of(parts.begin() + 1, parts.end(), [](auto part) { return folders.contains(part); });
  return by_path || parts.front().ends_with(".debian.org") ||
         parts.front().ends_with(".ubuntu.com");
}

/// Another vendor's archive is signed by another vendor's key.
bool is_foreign_key(const std::string& key) {
  return key.starts_with('/') && key.find("debian-archive") == key.npos &&
         key.find("ubuntu-archive") == key.npos;
}

bool is_suite_of(const std::string& suite, std::string_view codename) {
  return suite == codename || suite == fmt::format("{}-updates", codename) ||
         suite == fmt::format("{}-security", codename);
}

/// The options that still mean something on another root: a key inside the file does not fit on a
/// line, and mmdebstrap knows the distributions' own keys.
std::string options_text(const Source& source) {
  Words kept;
  for (const auto* name : {"signed-by", "trusted", "check-valid-until"}) {
    auto option = source.options.find(name);
    if (option == source.options.end()) continue;
    bool fits = option->second.find_first_of(" \t\n]") == std::string::npos;
    if (fits) kept.push_back(fmt::format("{}={}", name, option->second));
  }
  return kept.empty() ? "" : fmt::format("[{}] ", fmt::join(kept, " "));
}

void add_entries(const Source& source, std::string_view codename,
                 std::vector<std::string>& entries) {
  if (!contains(source.types, "deb")) return;
  auto key = source.options.find("signed-by");
  if (key != source.options.end() && is_foreign_key(key->second)) return;
  Words components;
  for (const auto& component : source.components) {
    if (component == "main" || component == "universe") components.push_back(component);
  }
  if (components.empty()) return;
  for (const auto& uri : source.uris) {
    if (!is_archive(uri)) continue;
    for (const auto& suite : source.suites) {
      if (!is_suite_of(suite, codename)) continue;
      auto entry = fmt::format("deb {}{} {} {}", options_text(source), uri, suite,
                               fmt::join(components, " "));
      if (!contains(entries, entry)) entries.push_back(std::move(entry));
    }
  }
}

std::string value_of(std::string_view os_release, std::string_view name) {
  for (auto line : text::split(os_release, '\n')) {
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != '=') continue;
    auto value = text::trimmed(line.substr(name.size() + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return std::string{value};
  }
  return {};
}

}  // namespace

std::string release_codename(std::string_view os_release) {
  // Derivatives name the release whose archives they use beside their own.
  for (const auto* name : {"UBUNTU_CODENAME", "DEBIAN_CODENAME", "VERSION_CODENAME"}) {
    auto codename = value_of(os_release, name);
    auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    if (!codename.empty() && std::ranges::all_of(codename, allowed)) return codename;
  }
  return {};
}

std::vector<std::string> distribution_sources(const std::vector<AptFile>& files,
                                              std::string_view codename) {
  std::vector<std::string> entries;
  for (const auto& file : files) {
    if (file.name.ends_with(".list")) {
      for (auto line : text::split(file.content, '\n')) {
        if (auto source = parse_line(line)) add_entries(*source, codename, entries);
      }
    } else if (file.name.ends_with(".sources")) {
      for (auto& stanza : parse_stanzas(file.content)) {
        if (auto source = source_of(std::move(stanza))) add_entries(*source, codename, entries);
      }
    }
  }
  return entries;
}

}  // namespace gantry::sandbox
