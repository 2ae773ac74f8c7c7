#include "access/oidc.hpp"

#include "access/access.hpp"
#include "api/accounts.hpp"
#include "api/cookie.hpp"
#include "api/handlers.hpp"
#include "base/encoding.hpp"
#include "base/log.hpp"

#include <fmt/format.h>

// Signing in at an identity provider.
namespace gantry::api {
namespace {

std::unexpected<Error> not_configured() {
  return fail(ErrorKind::not_found, "oidc_not_configured",
              "cannot sign in elsewhere: this server has no identity provider",
              "set oidc_issuer, or sign in with a password");
}

Reply redirect(std::string location) {
  Reply reply{.status = 303, .headers = {}};
  reply.headers.set("Location", location);
  reply.headers.set("Cache-Control", "no-store");
  return reply;
}

/// Back to the console, which says what happened. The cookie of the way there is of no more use.
Reply refused(const Call& call, const Error& error) {
  log::warn("sign-in at the identity provider: {}", error.sentence());
  auto reply = redirect(fmt::format("/?sign_in_error={}", encoding::percent(error.code)));
  const auto& peer = call.exchange.peer();
  reply.headers.add("Set-Cookie", cleared_flow_cookie(peer.transport, peer.listener_port));
  return reply;
}

enum class Begun { here, anywhere };

/// Whether a person's browser goes there, as far as it tells: pictures in other sites' pages could
/// use up all attempts that an address has.
bool is_visit(const Call& call, Begun begun) {
  auto site = call.header("Sec-Fetch-Site");
  auto purpose = call.header("Sec-Fetch-Dest");
  bool is_ours = site.empty() || site == "same-origin" || site == "none";
  return (is_ours || begun == Begun::anywhere) && (purpose.empty() || purpose == "document");
}

/// Not counted, and a sign-in that is under way keeps its cookie.
Reply elsewhere() { return redirect("/?sign_in_error=oidc_elsewhere"); }

}  // namespace

Answer get_oidc(Call& call) {
  co_return json_reply(200, json::Object{{"enabled", call.services.oidc != nullptr}});
}

Answer start_oidc(Call& call) {
  if (call.services.oidc == nullptr) co_return not_configured();
  if (!is_visit(call, Begun::here)) co_return elsewhere();
  auto started = co_await call.services.oidc->start(call.exchange.peer().address);
  if (!started) co_return refused(call, started.error());
  auto reply = redirect(std::move(started->url));
  const auto& peer = call.exchange.peer();
  reply.headers.add("Set-Cookie", flow_cookie(peer.transport, peer.listener_port, started->cookie));
  co_return reply;
}

Answer finish_oidc(Call& call) {
  if (call.services.oidc == nullptr) co_return not_configured();
  if (!is_visit(call, Begun::anywhere)) co_return elsewhere();
  const auto& peer = call.exchange.peer();
  auto cookie = find_cookie(call.exchange.request().headers,
                            flow_cookie_name(peer.transport, peer.listener_port));
  access::Oidc::Return returned{.code = call.query.text("code").value_or(""),
                                .state = call.query.text("state").value_or(""),
                                .issuer = call.query.text("iss").value_or(""),
                                .cookie = std::string{cookie.value_or("")},
                                .address = peer.address};
  auto vouched = co_await call.services.oidc->finish(std::move(returned));
  if (!vouched) co_return refused(call, vouched.error());
  auto signed_in = co_await call.services.access.sign_in_elsewhere(
      std::move(*vouched), peer.address, std::string{call.header("User-Agent")});
  if (!signed_in) co_return refused(call, signed_in.error());
  auto reply = redirect("/");
  add_session(call, *signed_in, reply);
  reply.headers.add("Set-Cookie", cleared_flow_cookie(peer.transport, peer.listener_port));
  co_return reply;
}

}  // namespace gantry::api
