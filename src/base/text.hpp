#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Small pure helpers on text.
namespace gantry::text {

/// Whether the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool valid_utf8(std::string_view bytes);
/// Control characters (C0, DEL and C1) and malformed bytes replaced by visible escapes, so that
/// the text is one line and moves no terminal's cursor.
std::string one_line(std::string_view text);
/// The text as a JSON string literal; malformed UTF-8 becomes U+FFFD.
std::string json_quoted(std::string_view text);
/// At most `max` bytes of it, cut at a character's border, with "…" where something was cut.
std::string shortened(std::string_view text, std::size_t max);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trimmed(std::string_view text);
std::string lowered(std::string_view text);
/// Every `what` in it, which is not empty, as `with`.
std::string replaced(std::string_view text, std::string_view what, std::string_view with);
bool iequals(std::string_view a, std::string_view b);

/// What stands in the place of a masked value.
inline constexpr std::string_view mask = "********";
/// Whether a name (of a variable, a label, a key) says that its value is a secret.
bool names_secret(std::string_view name);
/// `postgresql://user:secret@host/db` with the password masked; any other text as it is.
std::string without_url_password(std::string_view url);

}  // namespace gantry::text
