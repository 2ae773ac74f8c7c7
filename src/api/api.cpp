#include "api/api.hpp"

#include "api/call.hpp"
#include "api/guard.hpp"
#include "api/routes.hpp"
#include "async/attempt.hpp"
#include "base/log.hpp"

#include <fmt/format.h>

namespace gantry::api {
namespace {

using net::http::Exchange;

/// A request that has passed the guards.
struct Admitted {
  const Route* route = nullptr;  ///< nullptr: a file of the console
  Target target;
  std::string id;
  std::string part;
  std::optional<access::Identity> identity;
};

/// What has been found out when a request is refused: in which form the route speaks.
struct Reception {
  Shape shape = Shape::problem;
};

bool may_be_anonymous(const Route& route, const Services& services, const Exchange& exchange) {
  return route.anonymous == Anonymous::when_configured &&
         services.anonymous_execute == AnonymousExecute::on_loopback &&
         exchange.peer().listener == net::http::Peer::Listener::loopback;
}

/// Who asks, and whether they may.
Checked<std::optional<access::Identity>> authorise(const Route& route, Services& services,
                                                   const Exchange& exchange) {
  std::optional<access::Identity> identity;
  if (route.least == Least::open) return identity;
  bool anonymous = may_be_anonymous(route, services, exchange);
  auto known = identify(exchange.request(), exchange.peer(), services.access);
  // Where nobody needs to sign in, an ended session is nobody; a bad token is still a mistake.
  if (!known && !(anonymous && known.error().error.code == "bad_session")) {
    return std::unexpected{std::move(known.error())};
  }
  if (known) identity = std::move(*known);
  if (!identity && anonymous) return identity;
  if (!identity) {
    return refuse(Error{ErrorKind::unauthenticated, "sign_in_required",
                        "cannot do this without knowing who asks",
                        "sign in, or send 'Authorization: Bearer' with an API token"});
  }
  auto may = check_rights(route.least, route.scope, *identity);
  if (!may) return std::unexpected{may.error()};
  return identity;
}

/// The guards, in order.
Checked<Admitted> admit(Services& services, const Exchange& exchange, Reception& reception) {
  const auto& request = exchange.request();
  auto target = Target::parse(request.target);
  if (!target) return refuse(std::move(target.error()));
  auto match = find_route(request.method, *target);
  reception.shape = match.shape;

  auto host = check_host(request, exchange.peer(), services.allowed_hosts);
  if (!host) return std::unexpected{host.error()};
  auto origin = check_origin(request, exchange.peer());
  if (!origin) return std::unexpected{origin.error()};
  auto query = check_no_credential_in_query(target->query);
  if (!query) return std::unexpected{query.error()};

  if (match.route == nullptr) {
    if (match.allow.empty()) return Admitted{nullptr, std::move(*target), {}, {}, {}};
    auto refused = refuse(
        405, "method_not_allowed",
        fmt::format("cannot {} '{}': it has {}", request.method, target->path(), match.allow));
    refused.error().headers.set("Allow", match.allow);
    return refused;
  }
  if (match.route->body == Body::json) {
    auto type = check_content_type(request);
    if (!type) return std::unexpected{type.error()};
  }
  auto identity = authorise(*match.route, services, exchange);
  if (!identity) return std::unexpected{std::move(identity.error())};
  return Admitted{match.route, std::move(*target), std::move(match.id), std::move(match.part),
                  std::move(*identity)};
}

async::task<void> send(Exchange& exchange, Reply reply, Seconds retry_after) {
  add_security_headers(reply.headers);
  if (reply.status == 401) reply.headers.set("WWW-Authenticate", "Bearer");
  if (reply.status == 429) {
    reply.headers.set("Retry-After", fmt::format("{}", std::max<long>(1, retry_after.count())));
  }
  co_await exchange.respond({.status = reply.status, .headers = std::move(reply.headers)},
                            std::move(reply.body));
}

void log_breakdown(const Exchange& exchange, const Error& error) {
  if (error.kind != ErrorKind::internal) return;
  log::error("request {} failed: {}", exchange.request().method, error.sentence());
}

}  // namespace

async::task<void> Api::handle(Exchange& exchange) {
  Reception reception;
  auto admitted = admit(services_, exchange, reception);
  if (!admitted) {
    auto reply = error_reply(admitted.error(), reception.shape);
    co_return co_await send(exchange, std::move(reply), Seconds{1});
  }
  if (admitted->route == nullptr) {
    auto reply = co_await serve_console(services_, exchange.request(), admitted->target);
    co_return co_await send(exchange, std::move(reply), Seconds{1});
  }

  Call call{.exchange = exchange,
            .services = services_,
            .body_max = admitted->route->body_max,
            .id = std::move(admitted->id),
            .part = std::move(admitted->part),
            .query = std::move(admitted->target.query),
            .identity = std::move(admitted->identity)};
  auto answer = co_await async::attempt(admitted->route->handler(call));
  if (call.abandoned) co_return;
  if (!answer) {
    log_breakdown(exchange, answer.error());
    // Half an answer has gone out: only closing the connection tells that it is not whole.
    if (exchange.answered()) throw Failure{std::move(answer.error())};
    auto refused = refuse(std::move(answer.error())).error();
    answer = error_reply(refused, admitted->route->shape);
  }
  if (!exchange.answered()) co_await send(exchange, std::move(*answer), call.retry_after);
}

}  // namespace gantry::api
