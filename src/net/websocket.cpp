#include "net/websocket.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/random.hpp"
#include "net/websocket_impl.hpp"

namespace gantry::net {
namespace {

constexpr auto good_bye_limit = Seconds{1};

/// Marks a flag for as long as something is under way and wakes who waits for its end.
class Busy {
 public:
  Busy(bool& flag, async::Event& changed) : flag_{flag}, changed_{changed} { flag_ = true; }
  ~Busy() {
    flag_ = false;
    changed_.notify();
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  bool& flag_;
  async::Event& changed_;
};

Failure broken(std::string_view cause) {
  return Failure{{ErrorKind::unavailable,
                  "connection_broken",
                  "cannot read from the WebSocket: " + std::string{cause},
                  {}}};
}

}  // namespace

WebSocket::Impl::Impl(const async::Executor& executor, std::unique_ptr<Stream> connected,
                      WebSocketRole its_role, WebSocketLimits its_limits)
    : stream{std::move(connected)},
      role{its_role},
      limits{its_limits},
      reader{its_role, its_limits.message_max},
      write_watchdog{executor, *stream},
      changed{executor} {}

async::task<void> WebSocket::Impl::write(Opcode opcode, std::string_view payload) {
  std::optional<std::uint32_t> mask;
  if (role == WebSocketRole::client) mask = random::below(0xffffffffU);
  auto frame = websocket_frame(opcode, payload, mask);
  // The reader answers pings while somebody else sends: one frame at a time.
  while (writing) co_await changed.wait();
  Busy busy{writing, changed};
  if (close_sent) throw broken("it is closing");
  if (opcode == Opcode::close) close_sent = true;
  write_watchdog.allow(limits.write);
  co_await stream->write(frame);
  write_watchdog.rest();
}

async::task<void> WebSocket::Impl::read_once(std::size_t& count) {
  count = co_await input.fill(*stream);
}

async::task<void> WebSocket::Impl::read() {
  for (bool asked = false;; asked = true) {
    std::size_t count = 0;
    auto read = co_await async::attempt(
        async::with_deadline(limits.keep_alive, "waiting for the peer", read_once(count)));
    if (read) {
      if (count == 0) throw broken("the peer closed the connection");
      auto bad = reader.feed(input.data());
      input.consume(count);
      if (!bad) co_return;
      co_await end(bad->code, bad->reason);
      throw Failure{{ErrorKind::invalid,
                     "websocket_protocol",
                     "cannot read from the WebSocket: " + bad->reason,
                     {}}};
    }
    bool silent = read.error().kind == ErrorKind::timed_out;
    if (!silent || asked) {
      over = true;
      stream->close();
      throw Failure{read.error()};
    }
    co_await write(Opcode::ping, {});
  }
}

async::task<std::optional<WebSocket::Message>> WebSocket::Impl::receive() {
  Busy busy{reading, changed};
  while (!over) {
    auto event = reader.next();
    if (!event) {
      co_await read();
      continue;
    }
    switch (event->opcode) {
      case Opcode::text:
        co_return Message{Kind::text, std::move(event->data)};
      case Opcode::binary:
        co_return Message{Kind::binary, std::move(event->data)};
      case Opcode::ping:
        if (!close_sent) co_await write(Opcode::pong, event->data);
        break;
      case Opcode::close:
        over = true;
        if (!close_sent) co_await end(event->close_code == 0 ? 1000 : event->close_code, {});
        break;
      case Opcode::pong:
      case Opcode::continuation:
        break;
    }
  }
  co_return std::nullopt;
}

async::task<void> WebSocket::Impl::end(std::uint16_t code, std::string_view reason) {
  if (!close_sent) {
    auto told = co_await async::attempt(write(Opcode::close, close_payload(code, reason)));
  }
  over = true;
  stream->finish_writing();
}

async::task<void> WebSocket::Impl::drain() {
  if (reading) {
    while (reading) co_await changed.wait();
    co_return;
  }
  while (!over) {
    auto message = co_await receive();
    if (!message) co_return;
  }
}

async::task<void> WebSocket::Impl::close(std::uint16_t code, std::string_view reason) {
  if (!close_sent && !over) {
    auto told = co_await async::attempt(write(Opcode::close, close_payload(code, reason)));
    auto answered = co_await async::attempt(
        async::with_deadline(good_bye_limit, "waiting for the peer's good-bye", drain()));
  }
  stream->close();
}

WebSocket make_websocket(const async::Executor& executor, std::unique_ptr<Stream> stream,
                         WebSocketRole role, WebSocketLimits limits) {
  return WebSocket{std::make_unique<WebSocket::Impl>(executor, std::move(stream), role, limits)};
}

WebSocket::WebSocket(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
WebSocket::WebSocket(WebSocket&&) noexcept = default;
WebSocket& WebSocket::operator=(WebSocket&&) noexcept = default;
WebSocket::~WebSocket() = default;

async::task<std::optional<WebSocket::Message>> WebSocket::receive() { return impl_->receive(); }

async::task<void> WebSocket::send(Kind kind, std::string_view data) {
  return impl_->write(kind == Kind::text ? Opcode::text : Opcode::binary, data);
}

async::task<void> WebSocket::ping() { return impl_->write(Opcode::ping, {}); }

async::task<void> WebSocket::close(std::uint16_t code, std::string_view reason) {
  return impl_->close(code, reason);
}

}  // namespace gantry::net
