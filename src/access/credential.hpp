#pragma once

#include "base/secret.hpp"

#include <string>
#include <string_view>

/// The texts that let somebody in, and the only form in which they are kept.
namespace gantry::access::credential {

/// 50 characters of [0-9a-z]: 258 bits, so that a plain hash of them is safe to keep (there is
/// nothing to guess, unlike with passwords).
inline constexpr std::size_t length = 50;
inline constexpr std::string_view token_prefix = "gantry_";
inline constexpr std::string_view local_prefix = "gantry_local_";

/// `prefix` and `length` random characters.
Secret make(std::string_view prefix = {});
/// SHA-256, in hexadecimal.
std::string digest(std::string_view text);
/// Compares two digests in a time that tells nothing.
bool same(std::string_view a, std::string_view b);

}  // namespace gantry::access::credential
