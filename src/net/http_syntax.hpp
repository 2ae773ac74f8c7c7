#pragma once

#include "base/error.hpp"
#include "net/http.hpp"

#include <optional>
#include <string>
#include <string_view>

/// What HTTP/1.1 allows to be written, and what of it we accept.
namespace gantry::net::http {

enum class Version { http_1_0, http_1_1 };

/// Why a message is refused, with the status a server answers it with.
struct Rejection {
  unsigned status = 400;
  std::string cause;
};

/// token of RFC 9110 section 5.6.2: methods and field names.
bool is_token(std::string_view text);
/// No CR, LF, NUL or other control character except TAB.
bool is_field_value(std::string_view text);
/// Visible ASCII without a `#`: what a request's target is made of.
bool is_target(std::string_view text);

/// Whether a comma-separated field holds the token, without regard to case.
bool has_token(std::string_view field, std::string_view token);
/// Fields that say where a message ends; whoever writes the message decides them.
bool is_framing_field(std::string_view name);
/// Appends `Name: value` lines, without the framing fields. Refuses what would forge a line.
Result<> append_fields(std::string& out, const Headers& fields);
/// `5\r\nhello\r\n`: one chunk.
std::string chunk(std::string_view piece);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// Looks at a request's head as it arrived, line ends included, for what lenient parsers disagree
/// about: bare CR or LF, folded lines, control characters, a version that is not HTTP/1.
std::optional<Rejection> check_raw_head(std::string_view head);
/// The rules of RFC 9112 sections 3 and 6 for a request that was parsed; rewrites a target in
/// absolute form to its path.
std::optional<Rejection> check_request(RequestHead& head, Version version);

}  // namespace gantry::net::http
