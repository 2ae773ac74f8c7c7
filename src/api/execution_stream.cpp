#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/json_text.hpp"
#include "api/telling.hpp"
#include "api/typed_ahead.hpp"
#include "async/attempt.hpp"
#include "async/event.hpp"
#include "async/race.hpp"
#include "base/encoding.hpp"
#include "base/text.hpp"
#include "net/websocket.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <signal.h>

// A terminal to a running program over WebSocket: what happens goes out, what is typed comes in.
// The messages are in docs/protocols/stream.md.
namespace gantry::api {
namespace {

using executions::Happening;
using sandbox::Keystrokes;
using Follower = executions::Executions::Follower;

constexpr Bytes message_max{128U << 10U};
constexpr std::size_t input_max = 64U << 10U;
constexpr std::int64_t terminal_max = 1'000;
constexpr std::size_t refusals_max = 16;

// RFC 6455 section 7.4.1.
constexpr std::uint16_t normal = 1000;
constexpr std::uint16_t policy_violation = 1008;
// https://www.iana.org/assignments/websocket, of those registered later.
constexpr std::uint16_t service_restart = 1012;
constexpr std::uint16_t try_again_later = 1013;

struct NamedSignal {
  std::string_view name;
  int number;
};
constexpr std::array signals{NamedSignal{"SIGHUP", SIGHUP},    NamedSignal{"SIGINT", SIGINT},
                             NamedSignal{"SIGQUIT", SIGQUIT},  NamedSignal{"SIGKILL", SIGKILL},
                             NamedSignal{"SIGUSR1", SIGUSR1},  NamedSignal{"SIGUSR2", SIGUSR2},
                             NamedSignal{"SIGTERM", SIGTERM},  NamedSignal{"SIGCONT", SIGCONT},
                             NamedSignal{"SIGSTOP", SIGSTOP},  NamedSignal{"SIGTSTP", SIGTSTP},
                             NamedSignal{"SIGWINCH", SIGWINCH}};

Keystrokes read_input(json::Fields& fields) {
  Keystrokes keys{.kind = Keystrokes::Kind::bytes, .bytes = {}};
  auto text = fields.text("text", {0, input_max});
  auto base64 = fields.text("base64", {0, input_max * 4 / 3 + 4});
  if (text.has_value() == base64.has_value()) {
    fields.refuse("text", "or 'base64' must be given, and not both");
  } else if (text) {
    keys.bytes = std::move(*text);
  } else if (auto bytes = encoding::from_base64(*base64)) {
    keys.bytes = std::move(*bytes);
  } else {
    fields.refuse("base64", "must be base64");
  }
  return keys;
}

Keystrokes read_signal(json::Fields& fields) {
  auto name = fields.required_text("signal", {1, 16});
  const auto* found = std::ranges::find(signals, name, &NamedSignal::name);
  if (found == signals.end()) {
    fields.refuse("signal", "is none that can be sent");
    return {.kind = Keystrokes::Kind::signal, .bytes = {}};
  }
  return {.kind = Keystrokes::Kind::signal, .bytes = {}, .signal = found->number};
}

Keystrokes read_resize(json::Fields& fields) {
  auto rows = fields.integer("rows", {1, terminal_max});
  auto columns = fields.integer("columns", {1, terminal_max});
  if (!rows || !columns) fields.refuse("rows", "and 'columns' must be given");
  return {.kind = Keystrokes::Kind::resize,
          .bytes = {},
          .rows = static_cast<int>(rows.value_or(1)),
          .columns = static_cast<int>(columns.value_or(1))};
}

Result<Keystrokes> read_keystrokes(const net::WebSocket::Message& message) {
  if (message.kind != net::WebSocket::Kind::text) {
    return fail(ErrorKind::invalid, "unknown_message", "binary messages mean nothing here");
  }
  auto value = json::parse(message.data, json::Keys::strict);
  if (!value) return fail(std::move(value.error()));
  json::Fields fields{*value, "", json::Keys::strict};
  auto type = fields.required_text("type", {1, 32});
  Keystrokes keys{.kind = Keystrokes::Kind::end_of_input, .bytes = {}};
  if (type == "input") {
    keys = read_input(fields);
  } else if (type == "signal") {
    keys = read_signal(fields);
  } else if (type == "resize") {
    keys = read_resize(fields);
  } else if (type != "end_of_input") {
    fields.refuse("type", "must be 'input', 'end_of_input', 'signal' or 'resize'");
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return keys;
}

/// One client. One coroutine reads, one writes, and the writer alone closes.
class StreamChannel {
 public:
  StreamChannel(Call& call, net::WebSocket socket, Follower follower)
      : call_{call},
        socket_{std::move(socket)},
        follower_{std::move(follower)},
        typed_{call.services.executor},
        refused_{call.services.executor} {}

  /// Returns when the connection has ended.
  async::task<void> run() { co_await async::race(write_and_hand_on(), read()); }
  /// All was told: the other side did not leave before the end.
  bool told() const { return told_; }

 private:
  struct Goodbye {
    std::uint16_t code;
    std::string reason;
  };

  async::task<void> read() {
    while (auto message = co_await socket_.receive()) {
      // After a refusal only the other side's answer to our good-bye is of interest.
      if (!goodbye_) co_await understand(*message);
    }
  }

  async::task<void> understand(const net::WebSocket::Message& message) {
    auto keys = read_keystrokes(message);
    if (!keys) {
      // A close reason has at most 123 bytes.
      goodbye_ = Goodbye{policy_violation, text::shortened(keys.error().message, 110)};
      refused_.notify();
      co_return;
    }
    if (!call_.identity->may_execute()) {
      co_return refuse("role_missing", "cannot type: that needs the role 'executor'");
    }
    if (!call_.own().covers(follower_.record())) {
      co_return refuse("not_yours", "cannot type: the program is somebody else's");
    }
    auto keyboard = call_.services.executions.keyboard(follower_.record().id, call_.own());
    if (keyboard == nullptr) {
      co_return refuse("not_interactive",
                       "cannot type: the program has ended, or was not started as interactive");
    }
    co_await typed_.push(std::move(keyboard), std::move(*keys));
  }

  void refuse(std::string_view code, std::string_view detail) {
    if (refusals_.size() >= refusals_max) return;
    refusals_.push_back({{"type", "error"}, {"code", code}, {"detail", detail}});
    refused_.notify();
  }

  async::task<void> write_and_hand_on() { co_await async::race(write(), typed_.run(socket_)); }

  async::task<void> write() {
    Telling telling{follower_};
    while (!goodbye_) {
      for (auto& refusal : std::exchange(refusals_, {})) co_await send(std::move(refusal));
      if (!call_.services.access.still_valid(*call_.identity)) {
        goodbye_ = Goodbye{policy_violation, "signed out"};
        break;
      }
      Look seen;
      co_await async::race(look_into(seen), refused_.wait());
      if (seen.ended) goodbye_ = Goodbye{service_restart, "the server is stopping"};
      if (seen.happening) co_await tell(telling, *seen.happening);
    }
    co_await socket_.close(goodbye_->code, goodbye_->reason);
  }

  async::task<void> look_into(Look& seen) { seen = co_await look(call_, follower_); }

  async::task<void> tell(Telling& telling, const Happening& happening) {
    // Who reads slowly may not make the server hold any amount for them.
    if (!call_.exchange.hold(Bytes{telling.weight(happening)})) {
      goodbye_ = Goodbye{try_again_later, "the server is full"};
      co_return;
    }
    auto said = told_message(call_, follower_.record());
    auto work = [&] { return telling.of(happening, said); };
    for (auto& [name, json] : co_await compute(call_, telling.weight(happening), work)) {
      json::Object message{{"type", name}};
      if (name == "verdict") {
        message["execution"] = std::move(json);
      } else {
        for (auto& member : json) message.insert(std::move(member));
      }
      co_await send(std::move(message));
    }
    call_.exchange.let_go();
    if (happening.kind != Happening::Kind::verdict) co_return;
    told_ = true;
    goodbye_ = Goodbye{normal, "the program has ended"};
  }

  async::task<void> send(json::Object message) {
    co_await socket_.send(net::WebSocket::Kind::text, json_text(message));
  }

  Call& call_;
  net::WebSocket socket_;
  Follower follower_;
  TypedAhead typed_;
  async::Event refused_;
  std::vector<json::Object> refusals_;
  std::optional<Goodbye> goodbye_;
  bool told_ = false;
};

}  // namespace

Answer open_execution_stream(Call& call) {
  auto cancel = read_cancel_on_disconnect(call);
  if (!cancel) co_return fail(std::move(cancel.error()));
  if (!text::iequals(call.header("Upgrade"), "websocket")) {
    co_return fail(ErrorKind::invalid, "websocket_required",
                   "cannot open the stream: this is not a WebSocket handshake",
                   "connect with the WebSocket protocol (RFC 6455), or use …/events");
  }
  executions::ExecutionId id{call.id};
  auto follower = co_await call.services.executions.follow(id, call.reach());
  if (!follower) co_return fail(std::move(follower.error()));
  auto socket = co_await call.exchange.accept_websocket({.message_max = message_max});
  StreamChannel channel{call, std::move(socket), std::move(*follower)};
  // A client that goes away without a good-bye is nothing to report.
  co_await async::attempt(channel.run());
  // It may have ended in this moment, which is as well.
  if (!channel.told() && *cancel) (void)co_await call.services.executions.cancel(id, call.reach());
  co_return answered_already();
}

}  // namespace gantry::api
