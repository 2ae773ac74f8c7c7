#pragma once

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "net/http.hpp"
#include "net/http_server.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::api {

/// Over what the browser reached us.
using net::http::Transport;

/// `__Host-gantry` over TLS. Without, browsers disagree about `Secure` on loopback, which that
/// prefix asks for, and cookies do not tell ports apart: `gantry_5920`.
std::string cookie_name(Transport transport, std::uint16_t port);

/// The value of a Set-Cookie header that signs somebody in.
std::string session_cookie(Transport transport, std::uint16_t port, const Secret& value,
                           Seconds lifetime);
/// The one that signs them out.
std::string cleared_cookie(Transport transport, std::uint16_t port);

/// What a browser keeps after it has signed in: access::SignedIn::device, for a year.
std::string device_cookie_name(Transport transport, std::uint16_t port);
std::string device_cookie(Transport transport, std::uint16_t port, const Secret& value);

/// What a browser keeps on its way to an identity provider and back, for ten minutes. It comes with
/// a page of the provider's, so it is SameSite=Lax.
std::string flow_cookie_name(Transport transport, std::uint16_t port);
std::string flow_cookie(Transport transport, std::uint16_t port, const Secret& value);
std::string cleared_flow_cookie(Transport transport, std::uint16_t port);

/// What the request's Cookie headers say of `name`; nothing when it comes twice, since another
/// application of the same host may have added its own.
std::optional<std::string_view> find_cookie(const net::http::Headers& headers,
                                            std::string_view name);

}  // namespace gantry::api
