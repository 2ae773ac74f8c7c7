#include "executions/webhooks.hpp"

#include "async/attempt.hpp"
#include "async/backoff.hpp"
#include "async/deadline.hpp"
#include "base/encoding.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "executions/execution_store.hpp"
#include "net/http_client.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace gantry::executions {
namespace {

constexpr std::size_t url_max = 2'048;
// How many are told at the same moment, in all and of one user.
constexpr std::size_t talking_max = 16;
constexpr std::size_t talking_of_one_max = 4;
// How many are looked at for the next to begin. Those under way are among them.
constexpr store::Share looked_at{.each = talking_max + talking_of_one_max, .all = 1'024};
constexpr Milliseconds pause_max{10 * 60'000};
// Without any word the database is asked so often.
constexpr Milliseconds look_every{60'000};

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

std::uint16_t usual_port(net::http::Transport transport) {
  return transport == net::http::Transport::tls ? https_port : http_port;
}

std::unexpected<Error> refuse(std::string_view cause, std::string remedy = {}) {
  return fail(ErrorKind::invalid, "invalid_webhook",
              fmt::format("cannot use the webhook: {}", cause), std::move(remedy));
}

bool is_host(std::string_view host) {
  constexpr std::string_view letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
  return !host.empty() && host.size() <= 253 && host.find_first_not_of(letters) == host.npos;
}

bool is_ip6(std::string_view host) {
  return !host.empty() && host.find_first_not_of("0123456789abcdefABCDEF:.") == host.npos;
}

Result<WebhookTarget> read_authority(net::http::Transport transport, std::string_view authority,
                                     std::string_view path) {
  WebhookTarget target{
      .transport = transport, .host = {}, .port = usual_port(transport), .path = {}};
  target.path = path.empty() || path.front() == '?' ? fmt::format("/{}", path) : std::string{path};
  bool brackets = authority.starts_with('[');
  auto host_end = brackets ? authority.find(']') : authority.rfind(':');
  if (brackets && host_end == authority.npos) return refuse("its host is not well written");
  auto host = authority.substr(brackets ? 1 : 0, brackets ? host_end - 1 : host_end);
  auto rest = host_end == authority.npos ? std::string_view{}
                                         : authority.substr(host_end + (brackets ? 1 : 0));
  if (!(brackets ? is_ip6(host) : is_host(host))) return refuse("its host is not well written");
  target.host = host;
  if (rest.empty()) return target;
  const auto* end = rest.data() + rest.size();
  auto [stop, wrong] = std::from_chars(rest.data() + 1, end, target.port);
  if (rest.front() != ':' || wrong != std::errc{} || stop != end || target.port == 0) {
    return refuse("its port is not between 1 and 65535");
  }
  return target;
}

std::string host_header(const WebhookTarget& target) {
  auto host =
      target.host.find(':') == std::string::npos ? target.host : fmt::format("[{}]", target.host);
  return target.port == usual_port(target.transport) ? host
                                                     : fmt::format("{}:{}", host, target.port);
}

}  // namespace

Result<WebhookTarget> parse_webhook(std::string_view url) {
  if (url.empty() || url.size() > url_max) return refuse("it must have 1 to 2048 bytes");
  if (std::ranges::any_of(url, [](char c) { return c <= ' ' || c > '~'; })) {
    return refuse("it holds spaces or characters that an address can not have");
  }
  auto scheme_end = url.find("://");
  auto scheme = text::lowered(url.substr(0, std::min(scheme_end, url.size())));
  if (scheme_end == url.npos || (scheme != "http" && scheme != "https")) {
    return refuse("it is neither an https:// nor an http:// address");
  }
  auto transport = scheme == "https" ? net::http::Transport::tls : net::http::Transport::plain;
  auto rest = url.substr(scheme_end + 3);
  if (rest.find('#') != rest.npos) return refuse("it has a fragment");
  auto authority = rest.substr(0, rest.find_first_of("/?"));
  if (authority.find('@') != authority.npos) return refuse("it holds credentials");
  return read_authority(transport, authority, rest.substr(authority.size()));
}

Webhooks::Webhooks(async::Executor executor, storage::Database& database, Settings settings)
    : executor_{executor},
      database_{database},
      settings_{std::move(settings)},
      changed_{executor},
      tasks_{executor} {
  if (!settings_.tls) settings_.tls = value_or_throw(net::TlsClient::make({}));
}

async::task<void> Webhooks::start() {
  co_await store::migrate_webhooks(database_);
  tasks_.spawn("webhooks", work());
}

async::task<void> Webhooks::close() { co_await tasks_.close(); }

Result<> Webhooks::check(std::string_view url) const {
  auto target = parse_webhook(url);
  if (!target) return fail(target.error());
  bool literal = target->host.find_first_not_of("0123456789.") == std::string::npos ||
                 target->host.find(':') != std::string::npos;
  if (settings_.reach == net::Reach::public_only && literal && !net::is_public(target->host)) {
    return refuse("it is no address of the internet",
                  "name a public address, or let the server reach others (webhook_private)");
  }
  return ok;
}

void Webhooks::tell(const Record& record) {
  if (!record.webhook.empty()) wake();
}

void Webhooks::wake() {
  woken_ = true;
  changed_.notify();
}

async::task<void> Webhooks::work() {
  async::Backoff backoff{Milliseconds{1'000}, look_every};
  for (;;) {
    woken_ = false;
    auto next = co_await async::attempt(advance());
    if (next) {
      backoff.reset();
      co_await until_woken(*next);
    } else {
      // Nothing new begins: what was told and could not be written down would be told again.
      log::error("cannot go on with webhooks: {}", next.error().sentence());
      co_await backoff.pause();
    }
  }
}

async::task<std::optional<WallTime>> Webhooks::advance() {
  std::vector<store::Settled> written;
  for (const auto& [id, one] : settled_) written.push_back(one);
  auto due = co_await store::settle(database_, written, settings_.clock.now(), looked_at);
  for (const auto& one : written) settled_.erase(one.id);
  begin_some(std::move(due.now));
  co_return due.next;
}

async::task<void> Webhooks::until_woken(std::optional<WallTime> next) {
  if (woken_) co_return;
  auto limit = look_every;
  if (next) limit = std::clamp(*next - settings_.clock.now(), Milliseconds{1}, look_every);
  // Being late is no failure here.
  co_await async::attempt(async::with_deadline(limit, "waiting for webhooks", changed_.wait()));
}

void Webhooks::begin_some(std::vector<store::Delivery> due) {
  std::erase_if(due, [&](const store::Delivery& one) {
    return under_way_.contains(one.id) || settled_.contains(one.id);
  });
  std::map<std::string, std::size_t> busy;
  for (const auto& [id, owner] : under_way_) ++busy[owner];
  auto share = [&](const store::Delivery& one) { return busy[one.owner]; };
  while (!due.empty() && under_way_.size() < talking_max) {
    auto next = std::ranges::min_element(due, {}, share);
    if (share(*next) >= talking_of_one_max) return;
    ++busy[next->owner];
    under_way_.emplace(next->id, next->owner);
    tasks_.spawn(fmt::format("webhook of execution {}", next->id.text()), deliver(*next));
    due.erase(next);
  }
}

async::task<void> Webhooks::deliver(store::Delivery delivery) {
  auto told = co_await async::attempt(attempt(delivery.id));
  note(delivery, told);
}

void Webhooks::note(const store::Delivery& delivery, const Result<>& told) {
  store::Settled settled{.id = delivery.id, .attempts = delivery.attempts + 1, .again = {}};
  if (!told) {
    bool again = settled.attempts < settings_.attempts_max;
    log::warn("cannot tell of the end of execution '{}' (attempt {} of {}{}): {}",
              delivery.id.text(), settled.attempts, settings_.attempts_max,
              again ? "" : ", the last", told.error().sentence());
    async::Backoff backoff{settings_.first_pause, pause_max};
    for (int i = 1; i < settled.attempts; ++i) backoff.next();
    if (again) settled.again = settings_.clock.now() + backoff.next();
  }
  under_way_.erase(delivery.id);
  settled_.insert_or_assign(delivery.id, std::move(settled));
  wake();
}

async::task<Result<>> Webhooks::attempt(ExecutionId id) {
  auto found = co_await store::find(database_, id);
  // Nobody keeps it any more.
  if (!found) co_return ok;
  auto& record = found->first;
  auto target = parse_webhook(record.webhook);
  if (!target) co_return fail(target.error());
  auto status = co_await async::with_deadline(settings_.attempt_max, "telling the webhook",
                                              post(*target, id.text(), settings_.body(record)));
  if (status >= 200 && status < 300) co_return ok;
  co_return fail(ErrorKind::unavailable, "webhook_refused",
                 fmt::format("'{}' answered with status {}", target->host, status));
}

async::task<unsigned> Webhooks::post(WebhookTarget target, std::string id, std::string body) {
  auto seconds = std::chrono::floor<Seconds>(settings_.clock.now()).time_since_epoch().count();
  auto signature =
      encoding::hmac_sha256_hex(settings_.secret.reveal(), fmt::format("{}.{}", seconds, body));
  net::http::RequestHead request{"POST", target.path, {}};
  request.headers.set("Content-Type", "application/json");
  request.headers.set("User-Agent", "Gantry");
  request.headers.set("Gantry-Event", "execution.finished");
  request.headers.set("Gantry-Delivery", id);
  request.headers.set("Gantry-Signature", fmt::format("t={},v1={}", seconds, signature));
  net::Outside outside{.host = target.host, .port = target.port, .reach = settings_.reach};
  if (target.transport == net::http::Transport::tls) outside.tls = settings_.tls;
  net::http::Client client{executor_, net::outside_dialer(std::move(outside)), host_header(target)};
  // Only the head counts: whatever else the other side says is not read.
  auto response = co_await client.stream(std::move(request), std::move(body));
  co_return response.head().status;
}

}  // namespace gantry::executions
