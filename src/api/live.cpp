#include "api/live.hpp"

#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/json_text.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace gantry::api {
namespace {

/// How soon a channel notices that its reader may not read any more.
constexpr Milliseconds look_up{2'000};
constexpr Bytes message_max{4U << 10U};
constexpr std::size_t topic_max = 256;
constexpr int tail_max = 10'000;

// RFC 6455 section 7.4.1, and of https://www.iana.org/assignments/websocket the last one.
constexpr std::uint16_t policy_violation = 1008;
constexpr std::uint16_t service_restart = 1012;

using Kind = LiveWish::Kind;

/// How a topic is written, and what its token must be good for.
struct TopicForm {
  std::string_view word;
  Kind kind;
  access::Scope scope;
  /// What stands behind the word.
  enum class Rest { nothing, host, container } rest;
};
constexpr std::array forms{
    TopicForm{"containers", Kind::containers, access::Scope::containers, TopicForm::Rest::nothing},
    TopicForm{"host:", Kind::host, access::Scope::containers, TopicForm::Rest::host},
    TopicForm{"events", Kind::events, access::Scope::containers, TopicForm::Rest::nothing},
    TopicForm{"executions", Kind::executions, access::Scope::executions, TopicForm::Rest::nothing},
    TopicForm{"logs:", Kind::logs, access::Scope::containers, TopicForm::Rest::container},
    TopicForm{"stats:", Kind::stats, access::Scope::containers, TopicForm::Rest::container},
};

const TopicForm& form_of(Kind kind) { return *std::ranges::find(forms, kind, &TopicForm::kind); }

/// Whether the topic is of this form; takes it apart.
bool read_topic(const TopicForm& form, LiveWish& wish) {
  std::string_view text{wish.topic};
  if (form.rest == TopicForm::Rest::nothing) return text == form.word;
  if (!text.starts_with(form.word)) return false;
  text.remove_prefix(form.word.size());
  auto slash = text.find('/');
  bool container = form.rest == TopicForm::Rest::container;
  if (container != (slash != text.npos)) return false;
  wish.host = text.substr(0, slash);
  if (container) wish.container = text.substr(slash + 1);
  return valid_reference(wish.host) && (!container || valid_reference(wish.container));
}

}  // namespace

Result<LiveWish> parse_live_wish(const net::WebSocket::Message& message) {
  if (message.kind != net::WebSocket::Kind::text) {
    return fail(ErrorKind::invalid, "unknown_message", "binary messages mean nothing here");
  }
  auto value = json::parse(message.data, json::Keys::strict);
  if (!value) return fail(std::move(value.error()));
  json::Fields fields{*value, "", json::Keys::strict};
  LiveWish wish;
  auto wanted = fields.text("subscribe", {1, topic_max});
  auto unwanted = fields.text("unsubscribe", {1, topic_max});
  wish.tail = fields.integer("tail", {0, tail_max});
  wish.after = fields.text("after", {1, 64});
  if (wanted.has_value() == unwanted.has_value()) {
    fields.refuse("subscribe", "or 'unsubscribe' must be there, and only one of them");
  }
  wish.action = wanted ? LiveWish::Action::subscribe : LiveWish::Action::unsubscribe;
  wish.topic = wanted ? *wanted : unwanted.value_or("");
  const auto* form =
      std::ranges::find_if(forms, [&](const TopicForm& one) { return read_topic(one, wish); });
  if (form == forms.end()) {
    fields.refuse("subscribe",
                  "must be 'containers', 'host:HOST', 'events', 'executions', "
                  "'logs:HOST/CONTAINER' or 'stats:HOST/CONTAINER'");
  } else {
    wish.kind = form->kind;
    if (wish.tail && wish.kind != Kind::logs) fields.refuse("tail", "is for logs only");
    if (wish.after && wish.kind != Kind::events) fields.refuse("after", "is for events only");
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return wish;
}

async::task<void> LiveOutbox::tell(std::string_view topic, std::string_view type,
                                   json::Object message) {
  message["type"] = type;
  message["topic"] = topic;
  co_await messages_.send(json_text(message));
}

async::task<void> LiveOutbox::tell_error(std::string_view topic, Error error) {
  json::Object message{{"code", error.code}, {"detail", text::one_line(error.message)}};
  if (!error.remedy.empty()) message["remedy"] = error.remedy;
  co_await tell(topic, "error", std::move(message));
}

LiveChannel::LiveChannel(Call& call, net::WebSocket socket)
    : call_{call},
      socket_{std::move(socket)},
      out_{call.services.executor},
      refused_{call.services.executor},
      followers_{call.services.executor} {}

async::task<void> LiveChannel::run() { co_await async::finally(exchange(), followers_.close()); }

async::task<void> LiveChannel::exchange() { co_await async::race(write(), read()); }

async::task<void> LiveChannel::read() {
  while (auto message = co_await socket_.receive()) {
    // After a refusal only the other side's answer to our good-bye is of interest.
    if (!refused_.stopped()) co_await understand(*message);
  }
}

async::task<void> LiveChannel::understand(const net::WebSocket::Message& message) {
  auto wish = parse_live_wish(message);
  if (!wish) {
    // A close reason has at most 123 bytes.
    refusal_ = text::shortened(wish.error().message, 110);
    refused_.stop();
    co_return;
  }
  if (wish->action == LiveWish::Action::subscribe) co_return co_await subscribe(std::move(*wish));
  auto topic = topics_.find(wish->topic);
  if (topic == topics_.end()) co_return;
  topic->second->dropped.stop();
  topics_.erase(topic);
}

async::task<void> LiveChannel::subscribe(LiveWish wish) {
  if (topics_.contains(wish.topic)) co_return;
  auto scope = form_of(wish.kind).scope;
  if (!call_.identity->scopes.has(scope)) {
    co_return co_await out_.tell_error(
        wish.topic, {ErrorKind::denied, "scope_missing",
                     fmt::format("cannot subscribe to '{}': this token lacks the scope '{}'",
                                 wish.topic, access::word(scope)),
                     "make a token that has it"});
  }
  // Those that were dropped a moment ago may not have ended yet.
  if (followers_.size() >= topics_max) {
    co_return co_await out_.tell_error(
        wish.topic, {ErrorKind::exhausted, "too_many_subscriptions",
                     fmt::format("cannot subscribe to '{}': this channel has {} subscriptions",
                                 wish.topic, topics_max),
                     "unsubscribe from what is not looked at any more"});
  }
  auto topic = std::make_shared<Topic>(call_.services.executor);
  topics_.emplace(wish.topic, topic);
  followers_.spawn("live topic", follow(std::move(wish), std::move(topic)));
}

async::task<void> LiveChannel::follow(LiveWish wish, std::shared_ptr<Topic> topic) {
  auto told = co_await async::attempt(async::race(tell(wish), topic->dropped.wait()));
  if (topic->dropped.stopped()) co_return;
  // It may be subscribed to anew.
  topics_.erase(wish.topic);
  if (!told) {
    co_return co_await out_.tell_error(wish.topic, told_error(call_, wish.host, told.error()));
  }
  co_await out_.tell(wish.topic, "end", {{"reason", "ended"}});
}

async::task<void> LiveChannel::tell(const LiveWish& wish) {
  switch (wish.kind) {
    case Kind::containers:
    case Kind::host:
      return tell_containers(call_, wish, out_);
    case Kind::events:
      return tell_events(call_, wish, out_);
    case Kind::executions:
      return tell_executions(call_, wish, out_);
    case Kind::logs:
      return tell_logs(call_, wish, out_);
    case Kind::stats:
      return tell_stats(call_, wish, out_);
  }
  std::unreachable();
}

std::optional<LiveChannel::Goodbye> LiveChannel::goodbye() const {
  if (refused_.stopped()) return Goodbye{policy_violation, refusal_};
  if (stopping_) return Goodbye{service_restart, "the server is stopping"};
  if (!call_.services.access.still_valid(*call_.identity)) {
    return Goodbye{policy_violation, "signed out"};
  }
  return std::nullopt;
}

async::task<void> LiveChannel::take(std::optional<std::string>& message) {
  message = co_await out_.next();
}

async::task<void> LiveChannel::watch_stop() {
  co_await call_.exchange.server_closing();
  stopping_ = true;
}

async::task<void> LiveChannel::until_over() { co_await async::race(refused_.wait(), watch_stop()); }

async::task<void> LiveChannel::until_asked() {
  co_await async::race(until_over(), async::pause(look_up));
}

async::task<void> LiveChannel::write() {
  for (;;) {
    if (auto reason = goodbye()) co_return co_await socket_.close(reason->code, reason->reason);
    std::optional<std::string> message;
    co_await async::race(take(message), until_asked());
    if (message) co_await socket_.send(net::WebSocket::Kind::text, *message);
  }
}

Answer open_live(Call& call) {
  if (!text::iequals(call.header("Upgrade"), "websocket")) {
    co_return fail(ErrorKind::invalid, "websocket_required",
                   "cannot open the live channel: this is not a WebSocket handshake",
                   "connect with the WebSocket protocol (RFC 6455)");
  }
  auto socket = co_await call.exchange.accept_websocket({.message_max = message_max});
  LiveChannel channel{call, std::move(socket)};
  // A tab that goes away without a good-bye is nothing to report.
  co_await async::attempt(channel.run());
  co_return answered_already();
}

}  // namespace gantry::api
