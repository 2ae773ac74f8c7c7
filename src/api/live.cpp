#include "api/live.hpp"

#include "api/containers.hpp"
#include "api/execution_json.hpp"
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "base/text.hpp"
#include "executions/executions.hpp"
#include "fleet/fleet.hpp"

#include <fmt/format.h>

namespace gantry::api {
namespace {

constexpr Milliseconds between_tellings{250};
/// How soon a channel notices that its reader may not read any more.
constexpr Milliseconds look_up{2'000};
constexpr int recent_executions = 50;
constexpr std::size_t refusals_max = 16;

// RFC 6455 section 7.4.1.
constexpr std::uint16_t going_away = 1001;
constexpr std::uint16_t policy_violation = 1008;

Result<std::string> read_topic(const net::WebSocket::Message& message) {
  if (message.kind != net::WebSocket::Kind::text) {
    return fail(ErrorKind::invalid, "unknown_message", "binary messages mean nothing here");
  }
  auto value = json::parse(message.data, json::Keys::strict);
  if (!value) return fail(std::move(value.error()));
  json::Fields fields{*value, "", json::Keys::strict};
  auto topic = fields.required_text("subscribe", {1, 32});
  if (topic != "containers" && topic != "executions") {
    fields.refuse("subscribe", "must be 'containers' or 'executions'");
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return topic;
}

}  // namespace

LiveChannel::LiveChannel(Call& call, net::WebSocket socket)
    : call_{call}, socket_{std::move(socket)}, wake_{call.services.executor} {}

void LiveChannel::wake() {
  woken_ = true;
  wake_.notify();
}

async::task<void> LiveChannel::woken() {
  while (!woken_) co_await wake_.wait();
}

async::task<void> LiveChannel::watch_link() {
  for (;;) {
    co_await call_.services.fleet.changed();
    wake();
  }
}

async::task<void> LiveChannel::watch_executions() {
  for (;;) {
    co_await call_.services.executions.changed();
    wake();
  }
}

async::task<void> LiveChannel::watch_stop() {
  co_await call_.exchange.server_closing();
  stopping_ = true;
  wake();
}

async::task<void> LiveChannel::watch_all() {
  co_await async::with_companion(async::with_companion(watch_link(), watch_executions()),
                                 watch_stop());
}

async::task<void> LiveChannel::run() {
  co_await async::race(async::with_companion(write(), watch_all()), read());
}

async::task<void> LiveChannel::read() {
  while (auto message = co_await socket_.receive()) {
    // After a refusal only the other side's answer to our good-bye is of interest.
    if (!refused_) understand(*message);
    wake();
  }
}

void LiveChannel::understand(const net::WebSocket::Message& message) {
  auto topic = read_topic(message);
  if (topic) {
    subscribe(*topic);
  } else {
    // A close reason has at most 123 bytes.
    refused_ = Goodbye{policy_violation, text::shortened(topic.error().message, 110)};
  }
}

void LiveChannel::subscribe(std::string_view topic) {
  bool containers = topic == "containers";
  if (containers && !call_.identity->at_least(access::Role::viewer)) {
    if (refusals_.size() >= refusals_max) return;
    auto missing = access::role_missing(call_.identity->role, access::Role::viewer).error();
    refusals_.push_back({{"type", "error"},
                         {"code", missing.code},
                         {"detail", missing.message},
                         {"remedy", missing.remedy}});
    return;
  }
  auto scope = containers ? access::Scope::containers : access::Scope::executions;
  if (call_.identity->scopes.has(scope)) {
    (containers ? containers_ : executions_).subscribed = true;
    return;
  }
  if (refusals_.size() >= refusals_max) return;
  refusals_.push_back({{"type", "error"},
                       {"code", "scope_missing"},
                       {"detail", fmt::format("cannot subscribe to '{}': this token lacks the "
                                              "scope '{}'",
                                              topic, access::word(scope))},
                       {"remedy", "make a token that has it"}});
}

std::optional<LiveChannel::Goodbye> LiveChannel::goodbye() const {
  if (refused_) return refused_;
  if (stopping_) return Goodbye{going_away, "the server is stopping"};
  if (!call_.services.access.still_valid(*call_.identity)) {
    return Goodbye{policy_violation, "signed out"};
  }
  return std::nullopt;
}

async::task<void> LiveChannel::write() {
  for (;;) {
    if (auto reason = goodbye()) {
      co_return co_await socket_.close(reason->code, reason->reason);
    }
    woken_ = false;
    co_await send_refusals();
    co_await tell_containers();
    co_await tell_executions();
    // A change that came too soon after the last telling waits for its turn.
    bool pending = containers_.due(call_.services.fleet.version(), SteadyTime::max()) ||
                   executions_.due(call_.services.executions.version(), SteadyTime::max());
    if (pending) {
      co_await async::pause(between_tellings);
    } else {
      co_await async::race(woken(), async::pause(look_up));
    }
  }
}

async::task<void> LiveChannel::send(json::Object message) {
  co_await socket_.send(net::WebSocket::Kind::text, json_text(message));
}

async::task<void> LiveChannel::send_refusals() {
  for (auto& refusal : std::exchange(refusals_, {})) co_await send(std::move(refusal));
}

async::task<void> LiveChannel::tell_containers() {
  const auto& fleet = call_.services.fleet;
  auto now = steady_now();
  if (!containers_.due(fleet.version(), now)) co_return;
  containers_.told_version = fleet.version();
  containers_.not_before = now + between_tellings;
  auto message = containers_json(fleet.local_view());
  message["type"] = "containers";
  co_await send(std::move(message));
}

async::task<void> LiveChannel::tell_executions() {
  const auto version = call_.services.executions.version();
  auto now = steady_now();
  if (!executions_.due(version, now)) co_return;
  executions_.told_version = version;
  executions_.not_before = now + between_tellings;
  for (const auto& record : co_await changed_executions()) {
    auto message = execution_item_json(record);
    message["type"] = "executions";
    co_await send(std::move(message));
  }
}

/// What is in another state than was told. The unfinished ones come from memory. Those that have
/// finished since are looked up; the newest records tell of those that came and went between.
async::task<std::vector<executions::Record>> LiveChannel::changed_executions() {
  auto& executions = call_.services.executions;
  std::map<ExecutionId, executions::Record> now;
  auto page = co_await executions.list({.limit = recent_executions}, call_.reach());
  for (auto& record : executions.unfinished(call_.reach()))
    now.insert_or_assign(record.id, std::move(record));
  for (auto& record : page.items) now.try_emplace(record.id, std::move(record));
  for (const auto& [id, state] : told_) {
    if (state == executions::State::finished || now.contains(id)) continue;
    if (auto ended = co_await executions.look_up(id, call_.reach()))
      now.emplace(id, std::move(*ended));
  }
  std::map<ExecutionId, executions::State> known;
  std::vector<executions::Record> changed;
  for (auto& [id, record] : now) {
    known.emplace(id, record.state);
    auto told = told_.find(id);
    // What had ended before the subscription is history, which is for GET /executions.
    bool news = told_before_ ? told == told_.end() || told->second != record.state
                             : record.state != executions::State::finished;
    if (news) changed.push_back(std::move(record));
  }
  told_ = std::move(known);
  told_before_ = true;
  co_return changed;
}

Answer open_live(Call& call) {
  if (!text::iequals(call.header("Upgrade"), "websocket")) {
    co_return fail(ErrorKind::invalid, "websocket_required",
                   "cannot open the live channel: this is not a WebSocket handshake",
                   "connect with the WebSocket protocol (RFC 6455)");
  }
  auto socket = co_await call.exchange.accept_websocket({.message_max = Bytes{4U << 10U}});
  LiveChannel channel{call, std::move(socket)};
  // A tab that goes away without a good-bye is nothing to report.
  co_await async::attempt(channel.run());
  co_return answered_already();
}

}  // namespace gantry::api
