#include "api/guard.hpp"

#include "api/cookie.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace gantry::api {
namespace {

using net::http::Peer;
using net::http::RequestHead;

/// `name[:port]`, as in Host and Origin.
struct Authority {
  std::string name;  ///< Lower case; IPv6 addresses in their brackets.
  std::optional<std::uint16_t> port;
};

std::optional<Authority> parse_authority(std::string_view text) {
  auto colon = text.starts_with('[') ? text.find(']') : text.find(':');
  if (text.starts_with('[')) {
    if (colon == std::string_view::npos) return std::nullopt;
    ++colon;
  }
  colon = std::min(colon, text.size());
  Authority authority{text::lowered(text.substr(0, colon)), {}};
  auto rest = text.substr(colon);
  if (authority.name.empty()) return std::nullopt;
  if (rest.empty()) return authority;
  std::uint16_t port = 0;
  auto [stop, code] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), port);
  if (rest.front() != ':' || code != std::errc{} || stop != rest.data() + rest.size()) {
    return std::nullopt;
  }
  authority.port = port;
  return authority;
}

bool is_loopback_name(std::string_view name) {
  constexpr std::array names{std::string_view{"127.0.0.1"}, std::string_view{"localhost"},
                             std::string_view{"[::1]"}};
  return std::ranges::find(names, name) != names.end();
}

/// No name of the DNS looks like this: top-level domains are never all digits, and have no colon.
bool is_ip_literal(std::string_view name) {
  if (name.starts_with('[')) return name.ends_with(']');
  auto parts = text::split(name, '.');
  return parts.size() == 4 && std::ranges::all_of(parts, [](std::string_view part) {
           return !part.empty() && part.size() <= 3 &&
                  part.find_first_not_of("0123456789") == std::string_view::npos;
         });
}

bool host_is_ours(const Authority& host, const Peer& peer,
                  const std::vector<std::string>& allowed) {
  if (peer.listener == Peer::Listener::loopback) {
    return is_loopback_name(host.name) &&
           host.port.value_or(peer.listener_port) == peer.listener_port;
  }
  return is_loopback_name(host.name) || is_ip_literal(host.name) ||
         std::ranges::find(allowed, host.name) != allowed.end();
}

/// Whether `origin` is the one of a page that we served. In front of an open listener that speaks
/// plain HTTP somebody's proxy may speak TLS.
bool same_origin(std::string_view origin, const Authority& host, const Peer& peer) {
  std::uint16_t usual_port = 0;
  if (peer.transport == Transport::plain && origin.starts_with("http://")) {
    usual_port = 80;
    origin.remove_prefix(7);
  } else if (origin.starts_with("https://") && peer.listener == Peer::Listener::open) {
    usual_port = 443;
    origin.remove_prefix(8);
  } else {
    return false;
  }
  auto from = parse_authority(origin);
  return from && from->name == host.name &&
         from->port.value_or(usual_port) == host.port.value_or(usual_port);
}

constexpr std::string_view bearer = "bearer ";

std::unexpected<Refused> cross_site(std::string_view header, std::string_view value) {
  return refuse(403, "cross_site_request",
                fmt::format("cannot accept a request from another site: {} is '{}'", header,
                            text::shortened(text::one_line(value), 80)),
                "call the API from its own page, or from a program with an API token");
}

}  // namespace

Checked<> check_host(const RequestHead& request, const Peer& peer,
                     const std::vector<std::string>& allowed) {
  auto text = request.headers.get("Host");
  auto host = parse_authority(text);
  if (request.headers.count("Host") == 1 && host && host_is_ours(*host, peer, allowed)) return {};
  return refuse(403, "host_not_allowed",
                fmt::format("cannot serve host '{}': this server is not called so",
                            text::shortened(text::one_line(text), 80)),
                "use its address, or name it in the server's allowed hosts");
}

bool is_unsafe(const RequestHead& request) {
  return (request.method != "GET" && request.method != "HEAD") || request.headers.has("Upgrade");
}

Checked<> check_origin(const RequestHead& request, const Peer& peer) {
  if (!is_unsafe(request)) return {};
  const auto& headers = request.headers;
  if (headers.has("Origin")) {
    auto host = parse_authority(headers.get("Host"));
    auto origin = headers.get("Origin");
    if (headers.count("Origin") != 1 || !host || !same_origin(origin, *host, peer)) {
      return cross_site("Origin", origin);
    }
  }
  if (headers.has("Sec-Fetch-Site")) {
    auto site = headers.get("Sec-Fetch-Site");
    if (headers.count("Sec-Fetch-Site") != 1 || (site != "same-origin" && site != "none")) {
      return cross_site("Sec-Fetch-Site", site);
    }
  }
  return {};
}

std::string listed_origin(const RequestHead& request, const std::vector<std::string>& listed) {
  auto origin = request.headers.get("Origin");
  bool known = request.headers.count("Origin") == 1 &&
               std::ranges::find(listed, text::lowered(origin)) != listed.end();
  return known ? std::string{origin} : std::string{};
}

bool is_preflight(const RequestHead& request) {
  return request.method == "OPTIONS" && request.headers.has("Access-Control-Request-Method");
}

net::http::Headers preflight_answer(std::string_view methods) {
  return {{"Access-Control-Allow-Methods", std::string{methods}},
          {"Access-Control-Allow-Headers", "Authorization, Content-Type"},
          {"Access-Control-Max-Age", "600"}};
}

bool carries_token(const RequestHead& request) {
  auto authorization = request.headers.get("Authorization");
  return text::lowered(authorization.substr(0, bearer.size())) == bearer;
}

Checked<> check_no_credential_in_query(const Query& query) {
  constexpr std::array names{"token", "access_token", "api_key", "apikey", "authorization"};
  for (const auto& [name, value] : query.items()) {
    auto lowered = text::lowered(name);
    bool named = std::ranges::find(names, lowered) != names.end();
    if (named || value.starts_with("gantry_")) {
      return refuse(400, "credential_in_url",
                    "cannot accept a credential in the address: it would end in logs",
                    "send it as 'Authorization: Bearer …', and revoke this one");
    }
  }
  return {};
}

std::string_view media_type(const RequestHead& request) {
  auto type = request.headers.get("Content-Type");
  return text::trimmed(type.substr(0, std::min(type.find(';'), type.size())));
}

Checked<> check_content_type(const RequestHead& request) {
  auto type = media_type(request);
  if (request.headers.has("Content-Encoding")) {
    return refuse(415, "unsupported_media_type", "cannot read an encoded body",
                  "send it without Content-Encoding");
  }
  if (text::iequals(type, "application/json")) return {};
  return refuse(
      415, "unsupported_media_type",
      fmt::format("cannot read a body of type '{}'", text::shortened(text::one_line(type), 80)),
      "send 'Content-Type: application/json'");
}

Checked<std::optional<access::Identity>> identify(const RequestHead& request, const Peer& peer,
                                                  access::Access& access) {
  const auto& headers = request.headers;
  if (headers.count("Authorization") > 1) {
    return refuse(Error{ErrorKind::unauthenticated,
                        "bad_token",
                        "cannot tell who asks: there is more than one Authorization header",
                        {}});
  }
  if (carries_token(request)) {
    auto authorization = headers.get("Authorization");
    auto known = access.by_token(text::trimmed(authorization.substr(bearer.size())));
    if (!known) return refuse(std::move(known.error()));
    return std::optional{std::move(*known)};
  }
  // Other schemes are for a proxy in front of us.
  auto cookie = find_cookie(headers, cookie_name(peer.transport, peer.listener_port));
  if (!cookie) return std::optional<access::Identity>{};
  auto known = access.by_session(*cookie);
  if (!known) return refuse(std::move(known.error()));
  if (is_unsafe(request) && !headers.has("Origin") && !headers.has("Sec-Fetch-Site")) {
    return refuse(Error{ErrorKind::denied, "origin_missing",
                        "cannot accept a change by cookie that does not say where it comes from",
                        "use an API token outside browsers"});
  }
  return std::optional{std::move(*known)};
}

Checked<> check_rights(Least least, std::optional<access::Scope> scope,
                       const access::Identity& identity) {
  if (!allows(least, identity.role)) {
    return refuse(Error{ErrorKind::denied, "role_missing",
                        fmt::format("cannot do this as '{}': it needs the role '{}'",
                                    access::word(identity.role), word(least)),
                        "ask an admin for that role"});
  }
  if (scope && !identity.scopes.has(*scope)) {
    return refuse(Error{ErrorKind::denied, "scope_missing",
                        fmt::format("cannot do this with this token: it lacks the scope '{}'",
                                    access::word(*scope)),
                        "make a token that has it"});
  }
  return {};
}

}  // namespace gantry::api
