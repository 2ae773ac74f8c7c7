#pragma once

#include "base/error.hpp"
#include "base/json.hpp"
#include "net/http.hpp"

#include <expected>
#include <string>
#include <string_view>

namespace gantry::api {

/// An answer before it is sent.
struct Reply {
  unsigned status = 200;
  net::http::Headers headers;
  std::string body;
};

/// `application/json`.
Reply json_reply(unsigned status, const json::Value& value);
/// The same of a text that is JSON already.
Reply json_reply(unsigned status, std::string text);
/// 204.
Reply no_content();
/// For handlers that have answered by themselves (streams, WebSockets).
inline Reply answered_already() { return {}; }

/// A refusal with a status that its kind alone does not tell (405, 415).
struct Refused {
  unsigned status;
  Error error;
  net::http::Headers headers{};
};
template <class T = void>
using Checked = std::expected<T, Refused>;
std::unexpected<Refused> refuse(unsigned status, std::string code, std::string message,
                                std::string remedy = {});
std::unexpected<Refused> refuse(Error error);

/// In which form a route tells of errors.
enum class Shape {
  problem,     ///< RFC 9457, `application/problem+json`
  compatible,  ///< `{"success": false, "error": "…"}`, as the origin's clients expect it
  message,     ///< `{"message": "…"}`, as Piston's clients expect it
};
Reply error_reply(const Refused& refused, Shape shape);
/// `code`, `detail` and, where there is one, `remedy`.
json::Object error_json(const Error& error);

/// What every answer carries; `no-store` unless the answer says something else of caching.
void add_security_headers(net::http::Headers& headers);
/// The policy of pages: own scripts, styles, images and connections, and nothing else.
extern const std::string_view page_policy;

}  // namespace gantry::api
