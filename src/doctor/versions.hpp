#pragma once

#include <array>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::doctor {

/// The first three numbers of a version: `20.10.24+dfsg1` is 20, 10, 24.
struct Version {
  std::array<unsigned, 3> numbers{};

  static std::optional<Version> parse(std::string_view text);
  std::string text() const;
  auto operator<=>(const Version&) const = default;
};

/// Whether a component has the fixes that were known when this was written.
struct Known {
  enum class State { fixed, older, unknown };
  State state = State::unknown;
  std::string fixed_in;  ///< The version of its own line that has them, or the oldest that has.
};
/// `component` as the engine's /version names them: `Engine`, `containerd`, `runc`.
Known known_fixes(std::string_view component, std::string_view version);

/// Whether a distribution has its own build of it, which may have fixes under an old number.
bool is_repackaged(std::string_view version);

}  // namespace gantry::doctor
