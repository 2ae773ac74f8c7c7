#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Versions and ranges of them as npm understands them (https://semver.org/, node-semver's
/// grammar), without what concerns pre-releases: those count as the version they lead to.
namespace gantry::api::semver {

/// Major, minor, patch.
using Version = std::array<std::uint32_t, 3>;

/// `3.11.2`, `v3.11`, `17.0.10+7`: what is missing is 0. Nothing when it does not begin with a
/// number.
std::optional<Version> parse(std::string_view text);
/// `3.11.2`
std::string text(const Version& version);

/// Whether the version lies in a range: `3.x`, `^3.10`, `~3.11.0`, `>=3 <4`, `2 - 3`, `2 || 3`,
/// `*`. A range that is none contains nothing.
bool satisfies(const Version& version, std::string_view range);

}  // namespace gantry::api::semver
