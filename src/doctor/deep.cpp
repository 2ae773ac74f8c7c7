#include "doctor/deep.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "net/http_client.hpp"
#include "net/outside.hpp"
#include "net/resolve.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace gantry::doctor {
namespace {

using Role = RegistryFacts::Role;

constexpr std::size_t registries_max = 16;
constexpr Milliseconds patience{4'000};
/// Gives the run and its removal their own time; this is for an engine that stops answering.
constexpr Milliseconds canary_patience{40'000};
constexpr const char* usual_registry = "registry-1.docker.io";
/// Where Docker Hub gives its tokens.
constexpr const char* usual_authority = "auth.docker.io";
constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;
constexpr std::string_view http = "http://";
constexpr std::string_view https = "https://";

/// `registry.lan:5000`, `[::1]:5000`, `registry.lan`; without a port `port`.
std::optional<RegistryPlace> place_at(Role role, std::string_view authority, std::uint16_t port) {
  RegistryPlace place{.role = role, .host = std::string{authority}, .port = port};
  auto colon = authority.rfind(':');
  bool has_port = colon != authority.npos && authority.find(']', colon) == authority.npos &&
                  (authority.starts_with('[') || authority.find(':') == colon);
  if (has_port) {
    auto text = authority.substr(colon + 1);
    auto [end, failed] = std::from_chars(text.begin(), text.end(), place.port);
    if (failed != std::errc{} || end != text.end() || place.port == 0) return std::nullopt;
    place.host = authority.substr(0, colon);
  }
  if (place.host.starts_with('[') && place.host.ends_with(']')) {
    place.host = place.host.substr(1, place.host.size() - 2);
  }
  if (place.host.empty() || place.host.size() > 253) return std::nullopt;
  return place;
}

std::optional<RegistryPlace> mirror_at(std::string_view url) {
  bool clear = url.starts_with(http);
  if (!clear && !url.starts_with(https)) return std::nullopt;
  url.remove_prefix(clear ? http.size() : https.size());
  auto place = place_at(Role::mirror, url.substr(0, url.find('/')), clear ? http_port : https_port);
  if (place) place->in_clear = clear;
  return place;
}

std::string address_of(const RegistryPlace& place) {
  auto host = place.host.contains(':') ? fmt::format("[{}]", place.host) : place.host;
  bool usual = place.port == (place.in_clear ? http_port : https_port);
  return usual ? host : fmt::format("{}:{}", host, place.port);
}

async::task<unsigned> ask(async::Executor executor, RegistryPlace place) {
  std::optional<net::TlsClient> tls;
  if (!place.in_clear) tls = value_or_throw(net::TlsClient::make({}));
  auto connect = net::outside_dialer({.host = place.host,
                                      .port = place.port,
                                      .reach = net::Reach::anything,
                                      .tls = std::move(tls)});
  net::http::Client client{std::move(executor), std::move(connect), address_of(place)};
  net::http::RequestHead head;
  head.target = "/v2/";
  auto answer = co_await client.send(std::move(head));
  co_return answer.head.status;
}

/// Why it does not serve, as far as its answer tells.
std::optional<Error> judged(const RegistryPlace& place, unsigned status) {
  constexpr std::array served{200U, 401U};
  if (std::ranges::find(served, status) != served.end()) return std::nullopt;
  return Error{
      ErrorKind::unavailable, "no_registry",
      fmt::format("'{}' answers, but not as a registry (status {})", address_of(place), status),
      "check its address, and what stands before it"};
}

async::task<RegistryFacts> look_once(async::Executor executor, RegistryPlace place) {
  RegistryFacts facts{.role = place.role,
                      .address = address_of(place),
                      .status = 0,
                      .in_clear = place.in_clear,
                      .unknown_certificate = false,
                      .error = {}};
  auto answered = co_await async::attempt(async::with_deadline(
      patience, fmt::format("asking '{}'", facts.address), ask(std::move(executor), place)));
  if (!answered) {
    facts.error = answered.error();
    co_return facts;
  }
  facts.status = *answered;
  facts.error = judged(place, *answered);
  co_return facts;
}

/// Whether the way there was made, and only its TLS failed for a certificate that nobody knows.
bool is_about_certificates(const Error& error) {
  constexpr std::array codes{"tls_expired", "tls_not_yet_valid", "tls_unknown_authority",
                             "tls_wrong_name", "tls_untrusted"};
  return std::ranges::find(codes, error.code) != codes.end();
}

template <class Facts>
async::task<void> into(Facts& place, async::task<Facts> work) {
  place = co_await std::move(work);
}

async::task<void> all_of(std::vector<async::task<void>> works) {
  if (works.empty()) co_return;
  auto last = std::move(works.back());
  works.pop_back();
  co_await async::both(std::move(last), all_of(std::move(works)));
}

async::task<Result<Canary>> try_sandbox(async::Executor executor, RunCanary run_canary,
                                        net::Connect connect, net::Endpoint endpoint) {
  co_return co_await async::attempt(async::with_deadline(
      canary_patience, "trying the sandbox",
      run_canary(std::move(executor), std::move(connect), std::move(endpoint))));
}

std::vector<std::string> names_of(const std::vector<RegistryPlace>& places) {
  std::vector<std::string> names{usual_authority};
  for (const auto& place : places) {
    if (std::ranges::find(names, place.host) == names.end()) names.push_back(place.host);
  }
  return names;
}

}  // namespace

std::vector<RegistryPlace> registries_of(const EngineFacts& engine) {
  std::vector<RegistryPlace> places{{.host = usual_registry}};
  auto add = [&](std::optional<RegistryPlace> place) {
    if (place && places.size() < registries_max) places.push_back(std::move(*place));
  };
  for (const auto& url : engine.registry_mirrors) add(mirror_at(url));
  for (const auto& name : engine.insecure_registries) add(place_at(Role::insecure, name, 443));
  return places;
}

async::task<RegistryFacts> look_at_registry(async::Executor executor, RegistryPlace place) {
  auto facts = co_await look_once(executor, place);
  bool may_be_open = place.role == Role::insecure && facts.error;
  if (!may_be_open || !facts.error->code.starts_with("tls_")) co_return facts;
  if (is_about_certificates(*facts.error)) {
    facts.error.reset();
    facts.unknown_certificate = true;
    co_return facts;
  }
  place.in_clear = true;
  if (place.port == https_port) place.port = http_port;
  co_return co_await look_once(std::move(executor), std::move(place));
}

async::task<NameFacts> look_at_name(std::string host) {
  NameFacts facts{.host = host, .addresses = {}, .error = {}};
  auto found = co_await async::attempt(
      async::with_deadline(patience, fmt::format("looking up '{}'", host), net::resolve(host)));
  if (found) facts.addresses = std::move(*found);
  if (!found) facts.error = found.error();
  co_return facts;
}

async::task<DeepFacts> look_deep(async::Executor executor, EngineFacts engine, RunCanary run_canary,
                                 net::Connect connect, std::optional<net::Endpoint> endpoint) {
  auto places = registries_of(engine);
  auto names = names_of(places);
  DeepFacts facts;
  facts.names.resize(names.size());
  facts.registries.resize(places.size());
  std::vector<async::task<void>> works;
  for (std::size_t i = 0; i < names.size(); ++i) {
    works.push_back(into(facts.names[i], look_at_name(names[i])));
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    works.push_back(into(facts.registries[i], look_at_registry(executor, places[i])));
  }
  bool sandbox = run_canary && endpoint && !engine.error;
  if (sandbox) {
    auto trial =
        try_sandbox(executor, std::move(run_canary), std::move(connect), std::move(*endpoint));
    works.push_back(async::detail::keep(std::move(trial), facts.canary));
  }
  co_await all_of(std::move(works));
  co_return facts;
}

}  // namespace gantry::doctor
