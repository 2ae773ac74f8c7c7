#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Bytes as text and back.
namespace gantry::encoding {

/// RFC 4648 section 4, with padding.
std::string base64(std::string_view bytes);
/// Nothing for anything but well-formed base64 (padding optional, no white space).
std::optional<std::string> from_base64(std::string_view text);
/// RFC 4648 section 5 (URL and file name safe), with padding: what X-Registry-Auth wants.
std::string base64url(std::string_view bytes);
std::string hex(std::string_view bytes);
/// Nothing for anything but pairs of hexadecimal digits, small or capital.
std::optional<std::string> from_hex(std::string_view text);
/// SHA-256 as 64 hexadecimal digits.
std::string sha256_hex(std::string_view bytes);
/// HMAC-SHA-256 (RFC 2104) as 64 hexadecimal digits; the key may have any length.
std::string hmac_sha256_hex(std::string_view key, std::string_view bytes);
/// RFC 3986: everything but unreserved characters as %XX; safe as one path segment or query value.
std::string percent(std::string_view text);
/// Nothing when an escape is malformed.
std::optional<std::string> from_percent(std::string_view text);

}  // namespace gantry::encoding
