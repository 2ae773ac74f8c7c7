#include "access/oidc.hpp"

#include "access/credential.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/counted.hpp"
#include "base/encoding.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "net/endpoint.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::access {
namespace {

constexpr Milliseconds flow_max = std::chrono::minutes{10};
constexpr Milliseconds provider_kept = std::chrono::minutes{60};
constexpr Milliseconds keys_kept = std::chrono::minutes{5};
constexpr Milliseconds keys_read_again{10'000};
constexpr Milliseconds leeway{60'000};
constexpr Milliseconds exchange_max{15'000};
constexpr net::http::ClientLimits limits{.head = Milliseconds{10'000},
                                         .idle = Milliseconds{5'000},
                                         .head_max = Bytes{32U << 10U},
                                         .body_max = Bytes{256U << 10U}};
constexpr std::size_t underway_max = 16;
constexpr std::size_t used_states_max = 10'000;
/// Of one address, where many people may be: a sign-in that succeeds is not counted.
constexpr std::size_t attempts_max = 60;
constexpr std::size_t cookie_max = 2'048;
constexpr std::size_t code_max = 2'048;
constexpr std::size_t secret_length = 43;  // RFC 7636 section 4.1: at least
constexpr std::size_t subject_max = 255;   // OpenID Connect Core section 2
constexpr std::string_view flow_context = "oidc flow";

std::unexpected<Error> mistaken(std::string_view cause) {
  return fail(ErrorKind::unavailable, "provider_mistaken",
              fmt::format("cannot sign in with the identity provider: {}", cause),
              "check oidc_issuer and the provider");
}

std::unexpected<Error> bad_state() {
  return fail(ErrorKind::denied, "oidc_state",
              "cannot sign in: this was not begun in this browser, or was used, or is too old",
              "sign in again");
}

std::unexpected<Error> bad_token(std::string_view cause) {
  return fail(ErrorKind::denied, "bad_token",
              fmt::format("cannot accept the provider's token: {}", cause), "sign in again");
}

std::string text_of(const json::Object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

/// Seconds since 1970, as JWT has times; a fraction is cut off.
std::optional<WallTime> time_of(const json::Object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  auto seconds = value->to_number<double>();
  if (!(seconds >= 0 && seconds < 1e11)) return std::nullopt;
  return WallTime{Seconds{static_cast<std::int64_t>(seconds)}};
}

std::vector<std::string> texts_of(const json::Object& object, std::string_view key) {
  std::vector<std::string> texts;
  const auto* value = object.if_contains(key);
  if (value == nullptr) return texts;
  if (value->is_string()) texts.emplace_back(value->get_string());
  if (!value->is_array()) return texts;
  for (const auto& item : value->get_array()) {
    if (item.is_string()) texts.emplace_back(item.get_string());
  }
  return texts;
}

bool holds(const std::vector<std::string>& texts, std::string_view text) {
  return std::ranges::find(texts, text) != texts.end();
}

bool is_loopback(std::string_view host) {
  return host == "127.0.0.1" || host == "[::1]" || host == "localhost";
}

/// RFC 4648 section 5 without padding.
std::string challenge_of(const std::string& verifier) {
  auto digest = encoding::from_hex(encoding::sha256_hex(verifier)).value_or("");
  auto text = encoding::base64url(digest);
  return text.substr(0, text.find('='));
}

std::string host_header(const ProviderUrl& url) {
  return url.port == (url.tls ? 443 : 80) ? url.host : fmt::format("{}:{}", url.host, url.port);
}

std::unexpected<Error> busy() {
  return fail(ErrorKind::exhausted, "oidc_busy", "cannot sign in: too many do so at once",
              "try again in some seconds");
}

}  // namespace

Result<ProviderUrl> ProviderUrl::parse(std::string_view text) {
  auto refused = [&](std::string_view cause) {
    return fail(ErrorKind::invalid, "bad_provider_url",
                fmt::format("cannot use '{}' of the identity provider: {}",
                            text::shortened(text::one_line(text), 80), cause),
                "write it like https://id.example.org/realm");
  };
  ProviderUrl url;
  auto rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    url.tls = false;
    url.port = 80;
  } else {
    return refused("it is not an https:// address");
  }
  auto strange = [](char c) { return c <= ' ' || c > '~' || c == '#' || c == '\\'; };
  if (text.size() > 2'048 || std::ranges::any_of(text, strange)) {
    return refused("it holds what an address can not have");
  }
  auto authority = rest.substr(0, std::min(rest.find_first_of("/?"), rest.size()));
  url.path = rest.substr(authority.size());
  if (!url.path.starts_with('/')) url.path.insert(0, "/");
  auto colon = authority.rfind(':');
  bool has_port = colon != authority.npos && authority.find(']', colon) == authority.npos;
  url.host = text::lowered(authority.substr(0, has_port ? colon : authority.size()));
  if (has_port) {
    const auto* begin = authority.data() + colon + 1;
    const auto* end = authority.data() + authority.size();
    auto [stop, bad] = std::from_chars(begin, end, url.port);
    if (bad != std::errc{} || stop != end) return refused("its port is none");
  }
  auto endpoint = net::Endpoint::parse(fmt::format("tcp://{}:{}", url.host, url.port));
  if (!endpoint || authority.find('@') != authority.npos) return refused("it names no host");
  if (!url.tls && !is_loopback(url.host)) return refused("without TLS anybody could answer");
  return url;
}

Oidc::Oidc(async::Executor executor, OidcSettings settings, Clock clock, Sealer sealer, Dial dial)
    : executor_{std::move(executor)},
      settings_{std::move(settings)},
      clock_{std::move(clock)},
      sealer_{std::move(sealer)},
      dial_{std::move(dial)},
      by_address_{attempts_max} {
  if (dial_) return;
  dial_ = [this](const ProviderUrl& url) {
    auto text = fmt::format("{}://{}:{}", url.tls ? "tls" : "tcp", url.host, url.port);
    return net::dialer(executor_, value_or_throw(net::Endpoint::parse(text)), settings_.tls);
  };
}

async::task<Result<json::Value>> Oidc::fetch(ProviderUrl url, net::http::RequestHead request,
                                             std::string body) {
  request.headers.set("Accept", "application/json");
  net::http::Client client{executor_, dial_(url), host_header(url), limits};
  auto answer = co_await async::attempt(
      async::with_deadline(exchange_max, "asking the identity provider",
                           client.send(std::move(request), std::move(body))));
  if (!answer) {
    co_return fail(ErrorKind::unavailable, "provider_unreachable",
                   fmt::format("cannot reach the identity provider at '{}': {}", url.host,
                               answer.error().message),
                   "check the network, and that its certificate is trusted");
  }
  if (answer->head.status == 400 || answer->head.status == 401) {
    co_return fail(ErrorKind::denied, "oidc_refused",
                   "cannot sign in: the identity provider does not accept this",
                   "sign in again; if it goes on, check oidc_client_id and its secret");
  }
  if (answer->head.status != 200) {
    co_return mistaken(fmt::format("it answered with status {}", answer->head.status));
  }
  auto value = json::parse(answer->body, json::Keys::tolerant);
  if (!value || !value->is_object()) co_return mistaken("its answer is no JSON object");
  co_return std::move(*value);
}

async::task<Result<Oidc::Provider>> Oidc::discover() {
  auto now = clock_.now();
  if (provider_ && now - provider_->read_at < provider_kept) co_return *provider_;
  auto base = settings_.issuer;
  while (base.ends_with('/')) base.pop_back();
  auto url = ProviderUrl::parse(base + "/.well-known/openid-configuration");
  if (!url) co_return fail(url.error());
  auto document = co_await fetch(*url, url->head(), {});
  if (!document) co_return fail(document.error());
  const auto& object = document->get_object();
  if (text_of(object, "issuer") != settings_.issuer)
    co_return mistaken("it calls itself otherwise");
  auto token = ProviderUrl::parse(text_of(object, "token_endpoint"));
  auto keys = ProviderUrl::parse(text_of(object, "jwks_uri"));
  auto authorization = text_of(object, "authorization_endpoint");
  auto page = ProviderUrl::parse(authorization);
  // Only a provider of this machine may name the machine's own ports.
  auto fits = [&](const Result<ProviderUrl>& given) { return given && (given->tls || !url->tls); };
  if (!fits(token) || !fits(keys) || !fits(page)) {
    co_return mistaken("one of its addresses is missing or not https");
  }
  auto methods = texts_of(object, "token_endpoint_auth_methods_supported");
  bool in_body = !holds(methods, "client_secret_basic") && holds(methods, "client_secret_post");
  provider_ = Provider{.token = std::move(*token),
                       .keys = std::move(*keys),
                       .authorization = std::move(authorization),
                       .secret_in_body = in_body,
                       .read_at = now};
  co_return *provider_;
}

Result<> Oidc::count(const std::string& address) {
  if (address.empty()) return ok;
  auto network = network_of(address);
  auto now = clock_.now();
  if (auto wait = by_address_.wait(network, now); wait > Seconds{0}) {
    return fail(ErrorKind::exhausted, "too_many_attempts",
                "cannot sign in: too many attempts have failed",
                fmt::format("try again in {} s", wait.count()));
  }
  by_address_.begin(network, now);
  return ok;
}

async::task<Result<Oidc::Start>> Oidc::start(std::string address) {
  if (auto counted = count(address); !counted) co_return fail(std::move(counted.error()));
  auto started = co_await begin();
  // What fails here is the provider's, or ours.
  if (!started) by_address_.withdraw(network_of(address));
  co_return started;
}

async::task<Result<Oidc::Start>> Oidc::begin() {
  if (underway_ >= underway_max) co_return busy();
  Counted counted{underway_};
  auto provider = co_await discover();
  if (!provider) co_return fail(provider.error());
  Flow flow{random::word(secret_length), random::word(secret_length), random::word(secret_length)};
  auto url = provider->authorization;
  url += url.find('?') == url.npos ? '?' : '&';
  url += fmt::format(
      "response_type=code&client_id={}&redirect_uri={}&scope={}&state={}&nonce={}"
      "&code_challenge={}&code_challenge_method=S256",
      encoding::percent(settings_.client_id), encoding::percent(settings_.redirect_url),
      encoding::percent(fmt::format("{}", fmt::join(settings_.scopes, " "))), flow.state,
      flow.nonce, challenge_of(flow.verifier));
  auto until = (clock_.now() + flow_max).time_since_epoch().count();
  auto sealed = sealer_.seal(
      fmt::format("{} {} {} {}", flow.state, flow.nonce, flow.verifier, until), flow_context);
  co_return Start{.url = std::move(url), .cookie = Secret{encoding::hex(sealed)}};
}

Result<Oidc::Flow> Oidc::open_flow(const Return& returned) {
  if (returned.cookie.size() > cookie_max) return bad_state();
  auto sealed = encoding::from_hex(returned.cookie);
  if (!sealed) return bad_state();
  auto opened = sealer_.open(*sealed, flow_context);
  if (!opened) return bad_state();
  auto parts = text::split(opened->reveal(), ' ');
  if (parts.size() != 4) return bad_state();
  Flow flow{std::string{parts[0]}, std::string{parts[1]}, std::string{parts[2]}};
  std::int64_t until = 0;
  std::from_chars(parts[3].data(), parts[3].data() + parts[3].size(), until);
  auto now = clock_.now();
  if (now >= WallTime{Milliseconds{until}} || !Secret{flow.state}.matches(returned.state)) {
    return bad_state();
  }
  // Before the state is used: whoever begins and comes back with nothing uses nothing up.
  if (returned.code.empty() || returned.code.size() > code_max) {
    return fail(ErrorKind::denied, "oidc_refused",
                "cannot sign in: the identity provider did not let you in", "try again");
  }
  // The provider takes a code once, too: better to forget a state than to keep everybody out.
  if (used_states_.size() >= used_states_max) {
    std::erase_if(used_states_, [&](const auto& entry) { return now >= entry.second; });
  }
  if (used_states_.size() >= used_states_max) {
    used_states_.erase(
        std::ranges::min_element(used_states_, {}, [](const auto& entry) { return entry.second; }));
  }
  bool fresh = used_states_.emplace(credential::digest(flow.state), now + flow_max).second;
  if (!fresh) return bad_state();
  return flow;
}

async::task<Result<std::string>> Oidc::redeem(Provider provider, std::string code,
                                              std::string verifier) {
  auto body = fmt::format("grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={}",
                          encoding::percent(code), encoding::percent(settings_.redirect_url),
                          encoding::percent(verifier));
  net::http::RequestHead request{"POST", provider.token.path, {}};
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  auto id = encoding::percent(settings_.client_id);
  if (settings_.client_secret.empty() || provider.secret_in_body) body += "&client_id=" + id;
  if (!settings_.client_secret.empty()) {
    auto secret = encoding::percent(settings_.client_secret.reveal());
    if (provider.secret_in_body) {
      body += "&client_secret=" + secret;
    } else {
      auto pair = encoding::base64(fmt::format("{}:{}", id, secret));
      request.headers.set("Authorization", fmt::format("Basic {}", pair));
    }
  }
  auto answer = co_await fetch(provider.token, std::move(request), std::move(body));
  if (!answer) co_return fail(answer.error());
  auto token = text_of(answer->get_object(), "id_token");
  if (token.empty()) co_return mistaken("it gave no ID token");
  co_return token;
}

async::task<Result<>> Oidc::read_keys(const Provider& provider) {
  keys_read_at_ = clock_.now();
  auto set = co_await fetch(provider.keys, provider.keys.head(), {});
  if (!set) co_return fail(set.error());
  auto keys = jwt::Keys::read(*set);
  if (!keys) co_return fail(keys.error());
  keys_ = std::move(*keys);
  co_return ok;
}

async::task<Result<json::Object>> Oidc::claims_of(Provider provider, std::string token) {
  auto age = clock_.now() - keys_read_at_;
  if (keys_.size() == 0 || age >= keys_kept) {
    if (auto read = co_await read_keys(provider); !read) co_return fail(read.error());
  }
  auto claims = jwt::verify(token, keys_);
  bool rotated = !claims && claims.error().code == "unknown_key" && age >= keys_read_again;
  if (!rotated) co_return claims;
  if (auto read = co_await read_keys(provider); !read) co_return fail(read.error());
  co_return jwt::verify(token, keys_);
}

std::optional<Role> Oidc::role_of(const json::Object& claims) const {
  auto groups = texts_of(claims, settings_.groups_claim);
  std::optional<Role> highest;
  for (const auto& rule : settings_.roles) {
    if (rule.group == "*" || holds(groups, rule.group)) {
      highest = std::max(highest.value_or(rule.role), rule.role);
    }
  }
  return highest;
}

Result<Vouched> Oidc::judge(const json::Object& claims, const std::string& nonce) const {
  auto now = clock_.now();
  if (text_of(claims, "iss") != settings_.issuer) return bad_token("another provider made it");
  auto audience = texts_of(claims, "aud");
  if (!holds(audience, settings_.client_id)) return bad_token("it is for somebody else");
  auto party = text_of(claims, "azp");
  if ((audience.size() > 1 || !party.empty()) && party != settings_.client_id) {
    return bad_token("it was given to somebody else");
  }
  auto expires = time_of(claims, "exp");
  if (!expires || now >= *expires + leeway) return bad_token("it has expired");
  auto issued = time_of(claims, "iat");
  if (!issued || *issued > now + leeway) return bad_token("it is from the future");
  if (!Secret{nonce}.matches(text_of(claims, "nonce"))) {
    return bad_token("it answers to another sign-in");
  }
  auto subject = text_of(claims, "sub");
  if (subject.empty() || subject.size() > subject_max) return bad_token("it names nobody");
  auto role = role_of(claims);
  if (!role) {
    return fail(ErrorKind::denied, "oidc_no_role",
                "cannot sign in: none of your groups has a role here",
                "ask an admin for one, or for a line in oidc_roles");
  }
  auto name = text_of(claims, "preferred_username");
  if (name.empty()) name = text_of(claims, "email");
  return Vouched{.issuer = settings_.issuer,
                 .subject = std::move(subject),
                 .name = std::move(name),
                 .role = *role,
                 .first_grants = settings_.first_grants};
}

async::task<Result<Vouched>> Oidc::finish(Return returned) {
  auto address = returned.address;
  if (auto counted = count(address); !counted) co_return fail(std::move(counted.error()));
  auto vouched = co_await vouch(std::move(returned));
  int forgiven = 0;
  if (vouched || vouched.error().kind == ErrorKind::unavailable) {
    // Neither the way there nor the way back was a failure of theirs. The provider was asked only
    // because they had begun.
    forgiven = 2;
  } else if (vouched.error().code == "oidc_busy") {
    forgiven = 1;
  }
  for (int i = 0; i < forgiven; ++i) by_address_.withdraw(network_of(address));
  co_return vouched;
}

async::task<Result<Vouched>> Oidc::vouch(Return returned) {
  if (underway_ >= underway_max) co_return busy();
  Counted counted{underway_};
  auto flow = open_flow(returned);
  if (!flow) co_return fail(flow.error());
  if (!returned.issuer.empty() && returned.issuer != settings_.issuer) co_return bad_state();
  auto provider = co_await discover();
  if (!provider) co_return fail(provider.error());
  auto token = co_await redeem(*provider, std::move(returned.code), flow->verifier);
  if (!token) co_return fail(token.error());
  auto claims = co_await claims_of(*provider, std::move(*token));
  if (!claims) co_return fail(claims.error());
  co_return judge(*claims, flow->nonce);
}

}  // namespace gantry::access
