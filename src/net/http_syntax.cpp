#include "net/http_syntax.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

namespace gantry::net::http {
namespace {

constexpr std::string_view known_methods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                              "PATCH", "DELETE", "OPTIONS"};

bool is_token_character(char c) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || marks.find(c) != marks.npos;
}

bool is_value_character(char c) {
  auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

bool is_target_character(char c) { return c > 0x20 && c < 0x7f && c != '#'; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// host[:port] of RFC 3986, without user information.
bool is_authority(std::string_view text) {
  auto allowed = [](char c) {
    constexpr std::string_view marks = "-._~%:[]";
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || marks.find(c) != marks.npos;
  };
  return !text.empty() && text.size() <= 300 && std::ranges::all_of(text, allowed);
}

std::optional<Rejection> check_method(std::string_view method) {
  if (std::ranges::find(known_methods, method) != std::end(known_methods)) return std::nullopt;
  if (method == "TRACE" || method == "CONNECT") {
    return Rejection{405, "the method is not allowed here"};
  }
  return Rejection{501, "the method is not known"};
}

std::optional<Rejection> check_host(const RequestHead& head, Version version) {
  auto hosts = head.headers.count("Host");
  if (hosts > 1) return Rejection{400, "there is more than one Host field"};
  if (hosts == 0 && version == Version::http_1_0) return std::nullopt;
  if (hosts == 0) return Rejection{400, "there is no Host field"};
  if (!is_authority(head.headers.get("Host"))) {
    return Rejection{400, "the Host field is not a host"};
  }
  return std::nullopt;
}

std::optional<Rejection> check_framing(const RequestHead& head, Version version) {
  auto lengths = head.headers.count("Content-Length");
  auto encodings = head.headers.count("Transfer-Encoding");
  if (lengths != 0 && encodings != 0) {
    return Rejection{400, "both Content-Length and Transfer-Encoding are given"};
  }
  if (lengths > 1) return Rejection{400, "there is more than one Content-Length"};
  if (lengths == 1) {
    auto length = head.headers.get("Content-Length");
    if (length.empty() || length.size() > 18 || !std::ranges::all_of(length, is_digit)) {
      return Rejection{400, "Content-Length is not a number"};
    }
  }
  if (encodings == 0) return std::nullopt;
  if (version == Version::http_1_0) return Rejection{400, "HTTP/1.0 has no Transfer-Encoding"};
  if (encodings > 1) return Rejection{400, "there is more than one Transfer-Encoding"};
  if (!text::iequals(head.headers.get("Transfer-Encoding"), "chunked")) {
    return Rejection{501, "the only transfer coding understood is chunked"};
  }
  return std::nullopt;
}

std::optional<Rejection> check_target(RequestHead& head) {
  if (!is_target(head.target)) return Rejection{400, "the target holds a forbidden character"};
  if (head.target.starts_with('/')) return std::nullopt;
  if (head.target == "*" && head.method == "OPTIONS") return std::nullopt;
  constexpr std::string_view scheme = "http://";
  if (!text::iequals(std::string_view{head.target}.substr(0, scheme.size()), scheme)) {
    return Rejection{400, "the target is not a path"};
  }
  auto path = std::min(head.target.find_first_of("/?", scheme.size()), head.target.size());
  auto authority = std::string_view{head.target}.substr(scheme.size(), path - scheme.size());
  if (!text::iequals(authority, head.headers.get("Host"))) {
    return Rejection{400, "the target names another host than the Host field"};
  }
  head.target.erase(0, path);
  if (!head.target.starts_with('/')) head.target.insert(0, 1, '/');
  return std::nullopt;
}

std::optional<Rejection> check_expectation(const RequestHead& head) {
  if (!head.headers.has("Expect")) return std::nullopt;
  if (text::iequals(head.headers.get("Expect"), "100-continue")) return std::nullopt;
  return Rejection{417, "the only expectation understood is 100-continue"};
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_character);
}

bool is_field_value(std::string_view text) { return std::ranges::all_of(text, is_value_character); }

bool is_target(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_target_character);
}

bool has_token(std::string_view field, std::string_view token) {
  auto same = [&](std::string_view item) { return text::iequals(text::trimmed(item), token); };
  return std::ranges::any_of(text::split(field, ','), same);
}

bool is_framing_field(std::string_view name) {
  return text::iequals(name, "Content-Length") || text::iequals(name, "Transfer-Encoding") ||
         text::iequals(name, "Connection");
}

Result<> append_fields(std::string& out, const Headers& fields) {
  for (const auto& [name, value] : fields) {
    if (!is_token(name) || !is_field_value(value)) {
      return fail(ErrorKind::invalid, "bad_header",
                  fmt::format("cannot send header '{}': its name or value holds a character that "
                              "HTTP forbids",
                              text::one_line(text::shortened(name, 64))));
    }
    if (is_framing_field(name)) continue;
    out.append(name).append(": ").append(value).append("\r\n");
  }
  return ok;
}

std::string chunk(std::string_view piece) {
  auto out = fmt::format("{:x}\r\n", piece.size());
  out.reserve(out.size() + piece.size() + 2);
  return out.append(piece).append("\r\n");
}

std::optional<Rejection> check_raw_head(std::string_view head) {
  auto line = head.substr(0, head.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  auto version = line.substr(std::min(line.rfind(' ') + 1, line.size()));
  bool names_http = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                    version[6] == '.' && is_digit(version[7]);
  if (!names_http) return Rejection{400, "the request line is malformed"};
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return Rejection{505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  }
  for (std::size_t at = 0; at < head.size(); ++at) {
    auto byte = head[at];
    bool line_end = byte == '\r' && at + 1 < head.size() && head[at + 1] == '\n';
    if (line_end) {
      ++at;
      bool folded = at + 1 < head.size() && (head[at + 1] == ' ' || head[at + 1] == '\t');
      if (folded) return Rejection{400, "a header is folded over two lines"};
    } else if (!is_value_character(byte)) {
      return Rejection{400, "the head holds a control character or a bare line end"};
    }
  }
  return std::nullopt;
}

std::optional<Rejection> check_request(RequestHead& head, Version version) {
  if (auto bad = check_host(head, version)) return bad;
  if (auto bad = check_framing(head, version)) return bad;
  if (auto bad = check_method(head.method)) return bad;
  if (auto bad = check_expectation(head)) return bad;
  return check_target(head);
}

}  // namespace gantry::net::http
