#include "api/semver.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace gantry::api::semver {
namespace {

constexpr std::uint32_t number_max = 999'999'999;
constexpr Version beginning{0, 0, 0};
constexpr Version beyond{std::numeric_limits<std::uint32_t>::max(), 0, 0};

/// A version of which only the first `known` numbers were given.
struct Partial {
  Version version{};
  std::size_t known = 0;
};

/// From `low` up to, but without, `high`.
struct Interval {
  Version low = beginning;
  Version high = beyond;
  bool holds(const Version& version) const { return low <= version && version < high; }
};

bool is_wildcard(std::string_view part) { return part == "x" || part == "X" || part == "*"; }

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = code == std::errc{} && end == text.data() + text.size() && value <= number_max;
  return whole ? std::optional{value} : std::nullopt;
}

/// `1.2`, `1.x`, `*`, `v1.2.3-rc.1+build`.
std::optional<Partial> read_partial(std::string_view text) {
  if (text.starts_with('v') || text.starts_with('=')) text.remove_prefix(1);
  text = text.substr(0, text.find_first_of("-+"));
  Partial partial;
  auto parts = text::split(text, '.');
  if (parts.size() > partial.version.size()) return std::nullopt;
  bool open = false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (is_wildcard(parts[i]) || (text.empty() && i == 0)) {
      open = true;
      continue;
    }
    auto value = number(parts[i]);
    if (!value) return std::nullopt;
    if (open) continue;  // 1.x.3 is 1.x
    partial.version[i] = *value;
    partial.known = i + 1;
  }
  return partial;
}

/// The first version that differs from it before or at `place`: 1.2.3 and 1 make 1.3.0.
Version raised(Version version, std::size_t place) {
  ++version[place];
  for (auto i = place + 1; i < version.size(); ++i) version[i] = 0;
  return version;
}

/// The first version that is larger than all that the partial one stands for.
Version behind(const Partial& partial) {
  return partial.known == 0 ? beyond : raised(partial.version, partial.known - 1);
}

Interval caret(const Partial& partial) {
  if (partial.known == 0) return {};
  std::size_t place = 0;
  while (place + 1 < partial.known && partial.version[place] == 0) ++place;
  return {partial.version, raised(partial.version, place)};
}

Interval tilde(const Partial& partial) {
  if (partial.known == 0) return {};
  return {partial.version, raised(partial.version, std::min<std::size_t>(partial.known, 2) - 1)};
}

constexpr Interval nothing{beyond, beginning};

std::optional<Interval> read_comparison(std::string_view sign, const Partial& partial) {
  if (sign.empty() || sign == "=") return Interval{partial.version, behind(partial)};
  if (sign == "^") return caret(partial);
  if (sign == "~" || sign == "~>") return tilde(partial);
  if (sign == ">=") return Interval{partial.version, beyond};
  if (sign == "<=") return Interval{beginning, behind(partial)};
  if (sign == ">") return partial.known == 0 ? nothing : Interval{behind(partial), beyond};
  if (sign == "<") return partial.known == 0 ? nothing : Interval{beginning, partial.version};
  return std::nullopt;
}

/// The words of one alternative; a sign with a space behind it is one word with what follows.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string sign;
  for (auto part : text::split(text, ' ')) {
    if (part.empty()) continue;
    sign += part;
    if (sign.find_first_not_of("<>=~^") == std::string::npos) continue;
    words.push_back(std::exchange(sign, {}));
  }
  if (!sign.empty()) words.push_back(std::move(sign));
  return words;
}

std::optional<Interval> read_word(std::string_view word) {
  auto sign_end = std::min(word.find_first_not_of("<>=~^"), word.size());
  auto partial = read_partial(word.substr(sign_end));
  if (!partial) return std::nullopt;
  return read_comparison(word.substr(0, sign_end), *partial);
}

bool satisfies_alternative(const Version& version, std::string_view text) {
  auto words = words_of(text);
  if (words.size() == 3 && words[1] == "-") {
    auto from = read_partial(words[0]);
    auto to = read_partial(words[2]);
    return from && to && Interval{from->version, behind(*to)}.holds(version);
  }
  return std::ranges::all_of(words, [&](const std::string& word) {
    auto interval = read_word(word);
    return interval && interval->holds(version);
  });
}

}  // namespace

std::optional<Version> parse(std::string_view text) {
  auto partial = read_partial(text::trimmed(text));
  if (!partial || partial->known == 0) return std::nullopt;
  return partial->version;
}

std::string text(const Version& version) {
  return fmt::format("{}.{}.{}", version[0], version[1], version[2]);
}

bool satisfies(const Version& version, std::string_view range) {
  for (;;) {
    auto bar = std::min(range.find("||"), range.size());
    if (satisfies_alternative(version, range.substr(0, bar))) return true;
    if (bar == range.size()) return false;
    range.remove_prefix(bar + 2);
  }
}

}  // namespace gantry::api::semver
