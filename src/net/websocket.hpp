#pragma once

#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "net/stream.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::net {

struct WebSocketLimits {
  Bytes message_max{64U << 10U};
  /// Silence after which a ping is sent; twice that without an answer ends the connection.
  Milliseconds keep_alive{30'000};
  Milliseconds write{30'000};
};

/// A WebSocket connection (RFC 6455), either side. One reader, one writer at a time.
class WebSocket {
 public:
  struct Impl;
  explicit WebSocket(std::unique_ptr<Impl> impl);
  WebSocket(WebSocket&&) noexcept;
  WebSocket& operator=(WebSocket&&) noexcept;
  ~WebSocket();

  enum class Kind { text, binary };
  struct Message {
    Kind kind;
    std::string data;
  };
  /// The next message; nothing when the peer closed properly. Throws when the connection broke
  /// or the peer broke the protocol (malformed UTF-8, a message over the limit …).
  async::task<std::optional<Message>> receive();
  async::task<void> send(Kind kind, std::string_view data);
  /// Asks the peer for a sign of life; throws when the connection is known to have broken.
  async::task<void> ping();
  /// Says good-bye (RFC 6455 section 7.4 code) and closes.
  async::task<void> close(std::uint16_t code, std::string_view reason);

 private:
  std::unique_ptr<Impl> impl_;
};

/// The client's side of the handshake over a fresh stream.
async::task<WebSocket> websocket_connect(std::unique_ptr<Stream> stream, std::string host,
                                         std::string target, std::string origin,
                                         WebSocketLimits limits);

}  // namespace gantry::net
