#pragma once

#include "async/event.hpp"
#include "net/input_buffer.hpp"
#include "net/watchdog.hpp"
#include "net/websocket.hpp"
#include "net/websocket_frames.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gantry::net {

/// The connection behind a WebSocket, after the handshake.
struct WebSocket::Impl {
  Impl(const async::Executor& executor, std::unique_ptr<Stream> connected, WebSocketRole its_role,
       WebSocketLimits its_limits);

  async::task<std::optional<Message>> receive();
  async::task<void> write(Opcode opcode, std::string_view payload);
  async::task<void> close(std::uint16_t code, std::string_view reason);
  /// Reads once; sends a ping when the peer is silent.
  async::task<void> read();
  async::task<void> read_once(std::size_t& count);
  /// Tells the peer why and ends the connection.
  async::task<void> end(std::uint16_t code, std::string_view reason);
  async::task<void> drain();

  std::unique_ptr<Stream> stream;
  WebSocketRole role;
  WebSocketLimits limits;
  WebSocketReader reader;
  InputBuffer input;
  Watchdog write_watchdog;
  async::Event changed;  ///< A frame was written, or reading has stopped.
  bool writing = false;
  bool reading = false;
  bool close_sent = false;
  bool over = false;  ///< The peer has said good-bye, or broke off.
};

/// Speaks WebSocket over `stream`, on which the handshake is done.
WebSocket make_websocket(const async::Executor& executor, std::unique_ptr<Stream> stream,
                         WebSocketRole role, WebSocketLimits limits);

/// Sec-WebSocket-Accept for a key; nothing when the key is not 16 bytes of base64.
std::optional<std::string> websocket_accept(std::string_view key);

}  // namespace gantry::net
