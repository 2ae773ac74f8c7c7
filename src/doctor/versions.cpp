#include "doctor/versions.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace gantry::doctor {
namespace {

/// The first version of a line of releases that has the fixes (state of November 2026).
struct Fixed {
  std::string_view component;
  Version since;
};
/// In rising order within a component. A line is the first two numbers; newer lines than the last
/// have them, older ones that are not named do not get any.
constexpr std::array fixed_versions{
    Fixed{"Engine", {{29, 5, 1}}},     Fixed{"containerd", {{1, 7, 33}}},
    Fixed{"containerd", {{2, 0, 10}}}, Fixed{"containerd", {{2, 1, 9}}},
    Fixed{"containerd", {{2, 2, 5}}},  Fixed{"containerd", {{2, 3, 2}}},
    Fixed{"runc", {{1, 3, 6}}},        Fixed{"runc", {{1, 4, 3}}},
};

bool same_line(const Version& a, const Version& b) {
  return a.numbers[0] == b.numbers[0] && a.numbers[1] == b.numbers[1];
}

}  // namespace

std::optional<Version> Version::parse(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  Version out;
  for (std::size_t i = 0; i < out.numbers.size(); ++i) {
    auto [end, failed] = std::from_chars(text.begin(), text.end(), out.numbers[i]);
    if (failed != std::errc{}) return i == 0 ? std::nullopt : std::optional{out};
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    if (!text.starts_with('.')) break;
    text.remove_prefix(1);
  }
  return out;
}

std::string Version::text() const {
  return fmt::format("{}.{}.{}", numbers[0], numbers[1], numbers[2]);
}

Known known_fixes(std::string_view component, std::string_view version) {
  auto has = Version::parse(version);
  const Fixed* newest = nullptr;
  const Fixed* needed = nullptr;
  for (const auto& fixed : fixed_versions) {
    if (fixed.component != component || !has) continue;
    newest = &fixed;
    bool line = same_line(*has, fixed.since);
    if (line || (needed == nullptr && *has < fixed.since)) needed = &fixed;
  }
  if (newest == nullptr) return {};
  if (needed == nullptr) needed = newest;
  bool fixed = *has >= needed->since;
  return {fixed ? Known::State::fixed : Known::State::older, needed->since.text()};
}

bool is_repackaged(std::string_view version) {
  constexpr std::array marks{"dfsg", "ds", "ubuntu", "deb", ".el", ".fc"};
  return std::ranges::any_of(marks, [&](const char* mark) { return version.contains(mark); });
}

}  // namespace gantry::doctor
