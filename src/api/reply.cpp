#include "api/reply.hpp"

#include "api/json_text.hpp"

namespace gantry::api {

const std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

Reply json_reply(unsigned status, const json::Value& value) {
  return json_reply(status, json_text(value));
}

Reply json_reply(unsigned status, std::string text) {
  return {
      .status = status, .headers = {{"Content-Type", "application/json"}}, .body = std::move(text)};
}

Reply no_content() { return {.status = 204, .headers = {}, .body = {}}; }

std::unexpected<Refused> refuse(unsigned status, std::string code, std::string message,
                                std::string remedy) {
  return std::unexpected{
      Refused{status,
              Error{ErrorKind::invalid, std::move(code), std::move(message), std::move(remedy)},
              {}}};
}

std::unexpected<Refused> refuse(Error error) {
  auto status = static_cast<unsigned>(traits(error.kind).http_status);
  return std::unexpected{Refused{status, std::move(error), {}}};
}

namespace {

Reply error_body(const Refused& refused, Shape shape) {
  const auto& error = refused.error;
  if (shape == Shape::compatible) {
    return json_reply(refused.status,
                      json::Object{{"success", false}, {"error", error.sentence()}});
  }
  if (shape == Shape::message) {
    return json_reply(refused.status, json::Object{{"message", error.sentence()}});
  }
  json::Object problem{{"type", "about:blank"},
                       {"title", net::http::reason(refused.status)},
                       {"status", refused.status}};
  for (auto& member : error_json(error)) problem.insert(member);
  return {.status = refused.status,
          .headers = {{"Content-Type", "application/problem+json"}},
          .body = json_text(problem)};
}

}  // namespace

Reply error_reply(const Refused& refused, Shape shape) {
  auto reply = error_body(refused, shape);
  for (const auto& [name, value] : refused.headers) reply.headers.set(name, value);
  return reply;
}

json::Object error_json(const Error& error) {
  json::Object json{{"code", error.code}, {"detail", error.message}};
  if (!error.remedy.empty()) json["remedy"] = error.remedy;
  return json;
}

void add_security_headers(net::http::Headers& headers) {
  if (!headers.has("Content-Security-Policy")) {
    headers.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  }
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("Referrer-Policy", "no-referrer");
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
}

}  // namespace gantry::api
