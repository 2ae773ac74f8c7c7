#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "api/terminals_json.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/event.hpp"
#include "async/race.hpp"
#include "base/text.hpp"
#include "fleet/operations.hpp"
#include "net/websocket.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

// One screen at a terminal. The messages are in docs/protocols/terminal.md.
namespace gantry::api {
namespace {

using fleet::TerminalNews;
using fleet::TerminalViewer;

constexpr Bytes message_max{1U << 20U};
constexpr std::size_t piece_max = 64U << 10U;
constexpr Milliseconds ticket_patience{10'000};
/// How soon it is noticed that somebody may not see the terminal any more.
constexpr Milliseconds look_up{2'000};
/// How long somebody who is too slow has to take what is on its way, before the reason comes.
constexpr Milliseconds last_chance{5'000};
constexpr std::size_t refusals_max = 16;

// RFC 6455 section 7.4.1, and of https://www.iana.org/assignments/websocket the last two.
constexpr std::uint16_t normal = 1000;
constexpr std::uint16_t policy_violation = 1008;
constexpr std::uint16_t service_restart = 1012;
constexpr std::uint16_t try_again_later = 1013;

struct Goodbye {
  std::uint16_t code;
  std::string reason;
};

/// The first message.
struct Attach {
  std::string ticket;
  std::optional<engine::TerminalSize> size;
};

Result<Attach> read_attach(const net::WebSocket::Message& message) {
  if (message.kind != net::WebSocket::Kind::text) {
    return fail(ErrorKind::invalid, "ticket_required", "the first message must be the ticket");
  }
  auto value = json::parse(message.data, json::Keys::strict);
  if (!value) return fail(std::move(value.error()));
  json::Fields fields{*value, "", json::Keys::strict};
  if (fields.required_text("type", {1, 32}) != "attach") fields.refuse("type", "must be 'attach'");
  Attach attach;
  attach.ticket = fields.required_text("ticket", {1, 128});
  attach.size = read_size(fields);
  if (auto read = fields.finish(); !read) return fail(read.error());
  return attach;
}

/// What a client says besides bytes.
struct Control {
  enum class Kind { resize, end } kind = Kind::end;
  engine::TerminalSize size;
};

Result<Control> read_control(std::string_view text) {
  auto value = json::parse(text, json::Keys::strict);
  if (!value) return fail(std::move(value.error()));
  json::Fields fields{*value, "", json::Keys::strict};
  auto type = fields.required_text("type", {1, 32});
  Control control;
  if (type == "resize") {
    control.kind = Control::Kind::resize;
    auto size = read_size(fields);
    if (!size) fields.refuse("columns", "and 'rows' must be given, 1 to 1000 each");
    control.size = size.value_or(engine::TerminalSize{});
  } else if (type != "end") {
    fields.refuse("type", "must be 'resize' or 'end'");
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return control;
}

/// One coroutine reads, one writes, and the writer alone closes.
class TerminalChannel {
 public:
  TerminalChannel(Call& call, net::WebSocket socket)
      : call_{call}, socket_{std::move(socket)}, refused_{call.services.executor} {}

  /// Returns when the connection has ended.
  async::task<void> run() {
    auto attach = co_await first_message();
    if (!attach) co_return co_await refuse_entry(attach.error(), policy_violation);
    auto viewer = co_await enter(*attach);
    if (!viewer) {
      bool full = viewer.error().kind == ErrorKind::exhausted;
      co_return co_await refuse_entry(viewer.error(), full ? try_again_later : policy_violation);
    }
    viewer_ = std::move(*viewer);
    if (attach->size && viewer_->may_type()) viewer_->resize(*attach->size);
    co_await async::race(async::with_companion(write(), look_after()), read());
  }

 private:
  async::task<Result<Attach>> first_message() {
    auto message = co_await async::attempt(
        async::with_deadline(ticket_patience, "the ticket", socket_.receive()));
    if (!message && message.error().kind == ErrorKind::timed_out) {
      co_return fail(ErrorKind::invalid, "ticket_required", "no ticket came within 10 s");
    }
    if (!message) throw Failure{message.error()};
    if (!*message) {
      co_return fail(ErrorKind::invalid, "ticket_required", "the first message must be the ticket");
    }
    co_return read_attach(**message);
  }

  /// Whoever shows the right ticket is let in, and seen to come in.
  async::task<Result<std::unique_ptr<TerminalViewer>>> enter(const Attach& attach) {
    auto& terminals = call_.services.terminals;
    if (!terminals.redeem(attach.ticket, call_.id, call_.account())) {
      co_return fail(ErrorKind::denied, "bad_ticket",
                     "cannot attach: the ticket is not right, was used, or has run out",
                     "ask for another one");
    }
    auto view = visible_terminal(call_, call_.id);
    if (!view) co_return fail(no_such_terminal(call_.id));
    bool types = may_type(call_, *view);
    if (view->wish.owner.id != call_.account()) {
      auto noted = co_await call_.services.operations.note(
          {.actor = fleet::actor_of(*call_.identity),
           .host = view->host,
           .action = "terminal.join",
           .object = view->wish.name,
           .parameters = {{"terminal", view->id}, {"id", view->wish.container}, {"types", types}}});
      if (!noted) co_return fail(std::move(noted.error()));
    }
    co_return terminals.join(view->id,
                             types ? TerminalViewer::May::type : TerminalViewer::May::watch);
  }

  async::task<void> refuse_entry(Error error, std::uint16_t code) {
    co_await send(error_message(error));
    // A close reason has at most 123 bytes.
    co_await socket_.close(code, text::shortened(error.message, 110));
  }

  static json::Object error_message(const Error& error) {
    auto message = error_json(error);
    message["type"] = "error";
    return message;
  }

  async::task<void> read() {
    while (auto message = co_await socket_.receive()) {
      // After a refusal only the other side's answer to our good-bye is of interest.
      if (!goodbye_) co_await understand(std::move(*message));
    }
  }

  async::task<void> understand(net::WebSocket::Message message) {
    bool bytes = message.kind == net::WebSocket::Kind::binary;
    auto control = bytes ? Control{} : read_control(message.data);
    if (!control) {
      refuse(control.error());
      goodbye_ = Goodbye{policy_violation, text::shortened(control.error().message, 110)};
      co_return;
    }
    if (!viewer_->may_type()) {
      co_return refuse({ErrorKind::denied, "watching_only",
                        "cannot type here: the terminal is somebody else's",
                        "ask its owner to open it as shared"});
    }
    if (bytes) {
      co_await viewer_->type(std::move(message.data));
    } else if (control->kind == Control::Kind::resize) {
      viewer_->resize(control->size);
    } else {
      viewer_->end();
    }
  }

  void refuse(const Error& error) {
    if (refusals_.size() < refusals_max) refusals_.push_back(error_message(error));
    refused_.notify();
  }

  async::task<void> write() {
    auto view = viewer_->view();
    co_await send({{"type", "attached"},
                   {"terminal", terminal_json(view)},
                   {"may_type", viewer_->may_type()},
                   {"replay_bytes", viewer_->replay().size()}});
    std::string_view replay = viewer_->replay();
    for (; !replay.empty(); replay.remove_prefix(std::min(piece_max, replay.size()))) {
      co_await send_bytes(std::string{replay.substr(0, piece_max)});
    }
    while (!goodbye_) co_await tell_next();
    co_await tell_refusals();
    co_await socket_.close(goodbye_->code, goodbye_->reason);
  }

  async::task<void> tell_refusals() {
    for (auto& refusal : std::exchange(refusals_, {})) co_await send(std::move(refusal));
  }

  async::task<void> tell_next() {
    co_await tell_refusals();
    if (!call_.services.access.still_valid(*call_.identity) || !visible_terminal(call_, call_.id)) {
      // It may also have ended, and that is told.
      if (!viewer_->has_ended()) {
        goodbye_ = Goodbye{policy_violation, "signed out"};
        co_return;
      }
    }
    std::optional<TerminalNews> news;
    co_await async::race(look(news), async::pause(look_up));
    if (news) co_await tell(std::move(*news));
  }

  async::task<void> look(std::optional<TerminalNews>& news) {
    co_await async::race(async::detail::keep(viewer_->next(), news), refused_.wait());
  }

  async::task<void> tell(TerminalNews news) {
    if (news.size) {
      co_await send(
          {{"type", "resized"}, {"columns", news.size->columns}, {"rows", news.size->rows}});
    }
    if (news.viewers) co_await send({{"type", "viewers"}, {"count", *news.viewers}});
    if (!news.bytes.empty()) co_await send_bytes(std::move(news.bytes));
    if (news.ended) {
      auto message = terminal_end_json(*news.ended);
      message["type"] = "ended";
      co_await send(std::move(message));
      bool stopping = news.ended->reason == fleet::TerminalEnding::server_stopping;
      goodbye_ = Goodbye{stopping ? service_restart : normal, "the terminal has ended"};
    } else if (news.cut) {
      co_await send(error_message(*news.cut));
      goodbye_ = Goodbye{try_again_later, "too slow"};
    }
  }

  /// Whoever takes nothing of this, although they were cut long ago, hears no reason.
  async::task<void> send_bytes(std::string bytes) {
    auto winner =
        co_await async::race(socket_.send(net::WebSocket::Kind::binary, bytes), too_slow());
    if (winner == async::Winner::second)
      throw Failure{{ErrorKind::unavailable, "too_slow", "", {}}};
  }

  async::task<void> too_slow() {
    co_await viewer_->until_cut();
    co_await async::pause(last_chance);
  }

  async::task<void> send(json::Object message) {
    co_await socket_.send(net::WebSocket::Kind::text, json_text(message));
  }

  /// While what was typed waits for the shell nobody reads here: is the client still there?
  async::task<void> look_after() {
    for (;;) {
      co_await async::pause(look_up);
      if (viewer_->typed_ahead()) co_await socket_.ping();
    }
  }

  Call& call_;
  net::WebSocket socket_;
  std::unique_ptr<TerminalViewer> viewer_;
  async::Event refused_;
  std::vector<json::Object> refusals_;
  std::optional<Goodbye> goodbye_;
};

}  // namespace

Answer open_terminal_socket(Call& call) {
  if (auto query = call.query.finish(); !query) co_return fail(query.error());
  if (!visible_terminal(call, call.id)) co_return fail(no_such_terminal(call.id));
  if (!text::iequals(call.header("Upgrade"), "websocket")) {
    co_return fail(ErrorKind::invalid, "websocket_required",
                   "cannot open the terminal: this is not a WebSocket handshake",
                   "connect with the WebSocket protocol (RFC 6455)");
  }
  auto socket = co_await call.exchange.accept_websocket({.message_max = message_max});
  TerminalChannel channel{call, std::move(socket)};
  // A client that goes away without a good-bye is nothing to report.
  co_await async::attempt(channel.run());
  co_return answered_already();
}

}  // namespace gantry::api
