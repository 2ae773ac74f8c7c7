#include "executions/webhooks.hpp"

#include "async/attempt.hpp"
#include "async/backoff.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "base/encoding.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "executions/execution_store.hpp"
#include "executions/upkeep_store.hpp"
#include "net/http_client.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace gantry::executions {
namespace {

constexpr std::size_t url_max = 2'048;
// Ends that are held in memory to be told, and how many are told at the same moment.
constexpr std::size_t pending_max = 1'024;
constexpr std::size_t talking_max = 16;
constexpr Milliseconds pause_max{10 * 60'000};

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

Result<WebhookTarget> read_authority(std::string_view authority, std::string_view path) {
  WebhookTarget target;
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
  return target.port == 80 ? host : fmt::format("{}:{}", host, target.port);
}

}  // namespace

Result<WebhookTarget> parse_webhook(std::string_view url) {
  if (url.empty() || url.size() > url_max) return refuse("it must have 1 to 2048 bytes");
  if (std::ranges::any_of(url, [](char c) { return c <= ' ' || c > '~'; })) {
    return refuse("it holds spaces or characters that an address can not have");
  }
  auto scheme_end = url.find("://");
  auto scheme = text::lowered(url.substr(0, std::min(scheme_end, url.size())));
  if (scheme == "https") {
    return refuse("this server can not speak https to others yet",
                  "name an http:// address, such as one of a proxy that speaks TLS");
  }
  if (scheme_end == url.npos || scheme != "http") {
    return refuse("it is not an http:// address");
  }
  auto rest = url.substr(scheme_end + 3);
  if (rest.find('#') != rest.npos) return refuse("it has a fragment");
  auto authority = rest.substr(0, rest.find_first_of("/?"));
  if (authority.find('@') != authority.npos) return refuse("it holds credentials");
  return read_authority(authority, rest.substr(authority.size()));
}

Webhooks::Webhooks(async::Executor executor, storage::Database& database, Settings settings)
    : executor_{executor},
      database_{database},
      settings_{std::move(settings)},
      changed_{executor},
      tasks_{executor} {}

async::task<void> Webhooks::start() { co_await load(); }

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

void Webhooks::tell(Record record) {
  if (pending_.size() >= pending_max) {
    more_on_disk_ = true;
    return;
  }
  if (!pending_.insert(record.id).second) return;
  auto name = "webhook of execution " + record.id.text();
  tasks_.spawn(std::move(name), deliver(std::move(record)));
}

async::task<void> Webhooks::load() {
  more_on_disk_ = false;
  auto ids = co_await store::untold(database_, static_cast<int>(pending_max));
  for (auto& id : ids) {
    if (pending_.contains(id)) continue;
    auto found = co_await store::find(database_, std::move(id));
    if (found) tell(without_output(found->first));
  }
  more_on_disk_ = more_on_disk_ || ids.size() == pending_max;
}

async::task<void> Webhooks::deliver(Record record) {
  co_await try_deliver(record);
  co_await store::told(database_, record.id);
  pending_.erase(record.id);
  if (more_on_disk_ && pending_.empty()) co_await load();
}

async::task<void> Webhooks::try_deliver(const Record& record) {
  auto target = parse_webhook(record.webhook);
  if (!target) co_return;
  async::Backoff backoff{settings_.first_pause, pause_max};
  for (int tries = 1;; ++tries) {
    auto told = co_await attempt(*target, record);
    if (told) co_return;
    log::warn("cannot tell '{}' of the end of execution '{}' (attempt {} of {}): {}",
              text::one_line(target->host), record.id.text(), tries, settings_.attempts_max,
              told.error().sentence());
    if (tries >= settings_.attempts_max) co_return;
    co_await backoff.pause();
  }
}

namespace {

async::task<void> release(std::size_t& talking, async::Event& changed) {
  --talking;
  changed.notify();
  co_return;
}

}  // namespace

async::task<Result<>> Webhooks::attempt(const WebhookTarget& target, const Record& record) {
  while (talking_ >= talking_max) co_await changed_.wait();
  ++talking_;
  auto work = async::with_deadline(settings_.attempt_max, "telling the webhook",
                                   post(target, record.id.text(), settings_.body(record)));
  auto status =
      co_await async::attempt(async::finally(std::move(work), release(talking_, changed_)));
  if (!status) co_return fail(std::move(status.error()));
  if (*status >= 200 && *status < 300) co_return ok;
  co_return fail(ErrorKind::unavailable, "webhook_refused",
                 fmt::format("it answered with status {}", *status));
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
  net::http::Client client{executor_,
                           net::outside_dialer({.host = target.host,
                                                .port = target.port,
                                                .reach = settings_.reach}),
                           host_header(target)};
  // Only the head counts: whatever else the other side says is not read.
  auto response = co_await client.stream(std::move(request), std::move(body));
  co_return response.head().status;
}

}  // namespace gantry::executions
