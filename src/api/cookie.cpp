#include "api/cookie.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace gantry::api {
namespace {

std::string set_cookie(Transport transport, std::uint16_t port, std::string_view value,
                       Seconds lifetime) {
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}",
                     cookie_name(transport, port), value, lifetime.count(),
                     transport == Transport::tls ? "; Secure" : "");
}

}  // namespace

std::string cookie_name(Transport transport, std::uint16_t port) {
  if (transport == Transport::tls) return "__Host-gantry";
  return fmt::format("gantry_{}", port);
}

std::string session_cookie(Transport transport, std::uint16_t port, const Secret& value,
                           Seconds lifetime) {
  return set_cookie(transport, port, value.reveal(), lifetime);
}

std::string cleared_cookie(Transport transport, std::uint16_t port) {
  return set_cookie(transport, port, "", Seconds{0});
}

std::optional<std::string_view> find_cookie(const net::http::Headers& headers,
                                            std::string_view name) {
  std::optional<std::string_view> found;
  for (const auto& [field, value] : headers) {
    if (!text::iequals(field, "Cookie")) continue;
    for (auto pair : text::split(value, ';')) {
      auto trimmed = text::trimmed(pair);
      auto equals = trimmed.find('=');
      if (equals == std::string_view::npos || trimmed.substr(0, equals) != name) continue;
      if (found) return std::nullopt;
      found = trimmed.substr(equals + 1);
    }
  }
  return found;
}

}  // namespace gantry::api
