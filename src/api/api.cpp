#include "api/api.hpp"

#include "api/call.hpp"
#include "api/guard.hpp"
#include "api/host_access.hpp"
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
  std::string preflight;         ///< A browser asks about these methods, and nothing else.
  Target target;
  std::string id;
  std::string part;
  std::optional<access::Identity> identity;
};

/// What has been found out of a request, also of one that is refused.
struct Reception {
  Shape shape = Shape::problem;  ///< In which form its route speaks.
  std::string origin;            ///< Of another site's page that may read the answer.
  const Route* route = nullptr;  ///< None: no route takes it.
  unsigned status = 0;           ///< What it was answered with at once; 0: it was not.
};

/// Counts one request when it has ended, however it did.
class Counting {
 public:
  Counting(RequestMetrics& metrics, const Exchange& exchange, const Reception& reception)
      : metrics_{metrics}, exchange_{exchange}, reception_{reception}, began_{steady_now()} {}
  ~Counting() {
    auto took = std::chrono::duration_cast<Microseconds>(steady_now() - began_);
    if (reception_.status != 0) {
      metrics_.note(reception_.route, reception_.status, took);
    } else if (exchange_.answered()) {
      metrics_.note(reception_.route, 200, std::nullopt);
    }
  }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

 private:
  RequestMetrics& metrics_;
  const Exchange& exchange_;
  const Reception& reception_;
  SteadyTime began_;
};

bool may_be_anonymous(const Route& route, const Services& services, const Exchange& exchange) {
  return route.anonymous == Anonymous::when_configured &&
         services.anonymous_execute == AnonymousExecute::on_loopback &&
         exchange.peer().listener == net::http::Peer::Listener::loopback;
}

/// Who asks, and whether they may.
Checked<std::optional<access::Identity>> authorise(const Route& route, Services& services,
                                                   const Exchange& exchange,
                                                   const Reception& reception) {
  std::optional<access::Identity> identity;
  if (route.least == Least::open) return identity;
  bool anonymous = may_be_anonymous(route, services, exchange);
  // Another site's page does not act in the name of who happens to be signed in here.
  bool by_cookie_too = reception.origin.empty() || carries_token(exchange.request());
  auto known = by_cookie_too ? identify(exchange.request(), exchange.peer(), services.access)
                             : Checked<std::optional<access::Identity>>{};
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
  reception.route = match.route;
  if (match.origins == Origins::listed) {
    reception.origin = listed_origin(request, services.allowed_origins);
  }

  auto host = check_host(request, exchange.peer(), services.allowed_hosts);
  if (!host) return std::unexpected{host.error()};
  if (reception.origin.empty()) {
    auto origin = check_origin(request, exchange.peer());
    if (!origin) return std::unexpected{origin.error()};
  } else if (is_preflight(request)) {
    return Admitted{.preflight = std::move(match.allow)};
  }
  auto query = check_no_credential_in_query(target->query);
  if (!query) return std::unexpected{query.error()};

  if (match.route == nullptr) {
    if (match.allow.empty() && match.shape == Shape::message) {
      return refuse(404, "no_such_route", "Not Found");
    }
    if (match.allow.empty()) return Admitted{.target = std::move(*target)};
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
  auto identity = authorise(*match.route, services, exchange, reception);
  if (!identity) return std::unexpected{std::move(identity.error())};
  return Admitted{.route = match.route,
                  .target = std::move(*target),
                  .id = std::move(match.id),
                  .part = std::move(match.part),
                  .identity = std::move(*identity)};
}

/// Tells a browser that the page it asks for may read the answer.
void open_to_origin(net::http::Headers& headers, const std::string& origin) {
  headers.set("Access-Control-Allow-Origin", origin);
  headers.set("Access-Control-Expose-Headers", "Retry-After");
  headers.set("Vary", "Origin");
  headers.set("Cross-Origin-Resource-Policy", "cross-origin");
}

async::task<void> send(Exchange& exchange, Reply reply, Reception& reception,
                       Seconds retry_after = Seconds{1}) {
  if (auto room = exchange.hold(Bytes{reply.body.size()}); !room) {
    reply = error_reply(refuse(std::move(room.error())).error(), reception.shape);
  }
  reception.status = static_cast<unsigned>(reply.status);
  add_security_headers(reply.headers);
  if (!reception.origin.empty()) open_to_origin(reply.headers, reception.origin);
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
  Counting counting{requests_, exchange, reception};
  auto admitted = admit(services_, exchange, reception);
  if (!admitted) {
    auto reply = error_reply(admitted.error(), reception.shape);
    co_return co_await send(exchange, std::move(reply), reception);
  }
  if (!admitted->preflight.empty()) {
    Reply reply{.status = 204, .headers = preflight_answer(admitted->preflight)};
    co_return co_await send(exchange, std::move(reply), reception);
  }
  if (admitted->route == nullptr) {
    auto reply = co_await serve_console(services_, exchange.request(), admitted->target);
    co_return co_await send(exchange, std::move(reply), reception);
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
    auto told = told_error(call, call.id, std::move(answer.error()));
    auto refused = refuse(std::move(told)).error();
    answer = error_reply(refused, admitted->route->shape);
  }
  if (!exchange.answered()) {
    co_await send(exchange, std::move(*answer), reception, call.retry_after);
  }
}

}  // namespace gantry::api
