#include "api/cookie.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace gantry::api {
namespace {

constexpr Seconds device_lifetime = std::chrono::days{365};

constexpr Seconds flow_lifetime = std::chrono::minutes{10};

std::string set_cookie(Transport transport, std::string_view name, std::string_view value,
                       Seconds lifetime, std::string_view same_site = "Strict") {
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite={}{}", name, value,
                     lifetime.count(), same_site, transport == Transport::tls ? "; Secure" : "");
}

}  // namespace

std::string cookie_name(Transport transport, std::uint16_t port) {
  if (transport == Transport::tls) return "__Host-gantry";
  return fmt::format("gantry_{}", port);
}

std::string session_cookie(Transport transport, std::uint16_t port, const Secret& value,
                           Seconds lifetime) {
  return set_cookie(transport, cookie_name(transport, port), value.reveal(), lifetime);
}

std::string cleared_cookie(Transport transport, std::uint16_t port) {
  return set_cookie(transport, cookie_name(transport, port), "", Seconds{0});
}

std::string device_cookie_name(Transport transport, std::uint16_t port) {
  if (transport == Transport::tls) return "__Host-gantry-device";
  return fmt::format("gantry_device_{}", port);
}

std::string device_cookie(Transport transport, std::uint16_t port, const Secret& value) {
  return set_cookie(transport, device_cookie_name(transport, port), value.reveal(),
                    device_lifetime);
}

std::string flow_cookie_name(Transport transport, std::uint16_t port) {
  if (transport == Transport::tls) return "__Host-gantry-oidc";
  return fmt::format("gantry_oidc_{}", port);
}

std::string flow_cookie(Transport transport, std::uint16_t port, const Secret& value) {
  return set_cookie(transport, flow_cookie_name(transport, port), value.reveal(), flow_lifetime,
                    "Lax");
}

std::string cleared_flow_cookie(Transport transport, std::uint16_t port) {
  return set_cookie(transport, flow_cookie_name(transport, port), "", Seconds{0}, "Lax");
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
