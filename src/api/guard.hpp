#pragma once

#include "access/access.hpp"
#include "api/reply.hpp"
#include "api/routes.hpp"
#include "api/target.hpp"
#include "net/http_server.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What stands between a request and its handler. Each guard is a plain function of the request;
/// api.cpp calls them in order.
namespace gantry::api {

/// The Host header names us. On a loopback listener that is `127.0.0.1`, `localhost` or `[::1]`
/// with the listener's port or none; elsewhere an IP address, `localhost` or one of `allowed`.
/// A web page whose name was made to point at this machine (DNS rebinding) fails here.
Checked<> check_host(const net::http::RequestHead& request, const net::http::Peer& peer,
                     const std::vector<std::string>& allowed);

/// Whether the request changes something or opens a channel: anything but a plain GET or HEAD.
bool is_unsafe(const net::http::RequestHead& request);

/// What a browser says of where an unsafe request comes from does not name another site.
Checked<> check_origin(const net::http::RequestHead& request, const net::http::Peer& peer);

/// The Origin of a page that is on the list; empty for every other request. Such a page is told who
/// may read the answer, and its requests count as nobody's without a token.
std::string listed_origin(const net::http::RequestHead& request,
                          const std::vector<std::string>& listed);
/// Whether a browser only asks what a page's request may have (https://fetch.spec.whatwg.org/).
bool is_preflight(const net::http::RequestHead& request);
/// What a listed page may send, in answer to that.
net::http::Headers preflight_answer(std::string_view methods);

/// Whether the request says `Authorization: Bearer`.
bool carries_token(const net::http::RequestHead& request);

/// No credential stands in the address: those end in logs and histories.
Checked<> check_no_credential_in_query(const Query& query);

/// The media type of the body in its own spelling, without parameters: `application/json`.
std::string_view media_type(const net::http::RequestHead& request);

/// `application/json`, where a JSON body will be read.
Checked<> check_content_type(const net::http::RequestHead& request);

/// Who asks, by `Authorization: Bearer` or else by the session's cookie; nothing when neither is
/// there. An unsafe request by cookie must say where it comes from (`check_origin` has judged
/// what it says).
Checked<std::optional<access::Identity>> identify(const net::http::RequestHead& request,
                                                  const net::http::Peer& peer,
                                                  access::Access& access);

/// The least role and the scope (none: any token will do) that something asks for.
Checked<> check_rights(Least least, std::optional<access::Scope> scope,
                       const access::Identity& identity);

}  // namespace gantry::api
