#include "async/attempt.hpp"
#include "base/text.hpp"
#include "engine/client.hpp"
#include "engine/read.hpp"
#include "engine/refusal.hpp"

#include <fmt/format.h>

namespace gantry::engine {
namespace {

constexpr Milliseconds ping_patience{10'000};
constexpr Bytes ping_max{64U << 10U};

net::http::ClientLimits ping_limits() {
  net::http::ClientLimits limits;
  limits.head = ping_patience;
  limits.idle = ping_patience;
  limits.body_max = ping_max;
  return limits;
}

Failure too_old(const net::Endpoint& endpoint, ApiVersion theirs) {
  return Failure{{ErrorKind::unavailable, "engine_too_old",
                  fmt::format("cannot use the engine on '{}': it speaks API {} and {} is the "
                              "oldest this program speaks",
                              endpoint.text(), theirs.text(), oldest_api.text()),
                  "upgrade the engine to Docker 20.10 or newer"}};
}

Failure too_new(const net::Endpoint& endpoint, ApiVersion least) {
  return Failure{{ErrorKind::unavailable, "engine_too_new",
                  fmt::format("cannot use the engine on '{}': it speaks nothing older than API {} "
                              "and {} is the newest this program knows",
                              endpoint.text(), least.text(), newest_api.text()),
                  "upgrade Gantry"}};
}

/// What a ping's answer says about the version; throws when no engine gives such an answer.
ApiVersion version_in_ping(const net::Endpoint& endpoint, const net::http::Response& response) {
  const auto& headers = response.head.headers;
  auto stated = headers.get("Api-Version");
  if (stated.empty()) {
    // Docker says which version it speaks since API 1.24 (1.12, 2016).
    if (headers.get("Server").starts_with("Docker/")) throw too_old(endpoint, {});
    throw Failure{not_an_engine(
        endpoint, fmt::format("status {} without an Api-Version", response.head.status))};
  }
  auto version = ApiVersion::parse(stated);
  if (!version) {
    auto shown = text::shortened(text::one_line(stated), 40);
    throw Failure{not_an_engine(endpoint, fmt::format("its Api-Version is '{}'", shown))};
  }
  if (response.head.status != 200) {
    throw Failure{
        refusal({"ping", "the engine on", endpoint.text()}, response.head.status, response.body)};
  }
  return *version;
}

/// The oldest version an engine newer than us still speaks.
ApiVersion least_in_version(const net::Endpoint& endpoint, const net::http::Response& response) {
  auto value = json::parse(response.body, json::Keys::tolerant);
  if (response.head.status != 200 || !value) {
    throw Failure{not_an_engine(endpoint, "it does not tell which API versions it speaks")};
  }
  auto fields = read::fields(*value, "");
  auto least = ApiVersion::parse(read::text(fields, "MinAPIVersion"));
  if (!least) throw Failure{not_an_engine(endpoint, "it has no MinAPIVersion")};
  return *least;
}

/// Somebody listens, or dialling had failed with an engine's code: what did we get instead?
Failure no_proper_answer(const net::Endpoint& endpoint, const Error& error) {
  if (is_of_the_way(error)) return Failure{error};
  if (error.kind == ErrorKind::timed_out) {
    return Failure{{ErrorKind::timed_out, "engine_timed_out",
                    fmt::format("cannot ping the engine on '{}': no answer within {} ms",
                                endpoint.text(), ping_patience.count()),
                    "look at the engine's log, for example with 'journalctl -u docker'"}};
  }
  if (error.code != "not_http" && error.kind != ErrorKind::too_large) {
    return Failure{unreachable(endpoint, error)};
  }
  return Failure{not_an_engine(endpoint, text::shortened(text::one_line(error.message), 200))};
}

async::task<net::http::Response> get(net::http::Client& http, const net::Endpoint& endpoint,
                                     std::string target) {
  net::http::RequestHead head;
  head.target = std::move(target);
  auto response = co_await async::attempt(http.send(std::move(head), {}, ping_limits()));
  if (!response) throw no_proper_answer(endpoint, response.error());
  co_return std::move(*response);
}

}  // namespace

async::task<ApiVersion> Client::negotiate() {
  reset();
  auto ping = co_await get(*http_, endpoint_, "/_ping");
  auto theirs = version_in_ping(endpoint_, ping);
  if (theirs < oldest_api) throw too_old(endpoint_, theirs);
  if (theirs > newest_api) {
    auto version = co_await get(*http_, endpoint_, "/version");
    auto least = least_in_version(endpoint_, version);
    if (least > newest_api) throw too_new(endpoint_, least);
    theirs = newest_api;
  }
  negotiated_ = theirs;
  co_return theirs;
}

}  // namespace gantry::engine
