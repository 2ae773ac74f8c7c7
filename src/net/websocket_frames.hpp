#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

/// RFC 6455 frames out of bytes and back, without any I/O.
namespace gantry::net {

enum class WebSocketRole { client, server };

enum class Opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xa
};

/// A frame as bytes. A client masks with `mask`; a server leaves it out.
std::string websocket_frame(Opcode opcode, std::string_view payload,
                            std::optional<std::uint32_t> mask);
/// A close frame's payload.
std::string close_payload(std::uint16_t code, std::string_view reason);

/// What came: a whole message (put together from its fragments), or a control frame.
struct WebSocketEvent {
  Opcode opcode;
  std::string data;
  std::uint16_t close_code = 0;  ///< 0: none was given.
};

/// Why the peer is no longer listened to, with the code it is told (section 7.4.1).
struct WebSocketViolation {
  std::uint16_t code;
  std::string reason;
};

/// Reads the peer's frames. Memory: one message up to the cap, and what `feed` was given at once.
class WebSocketReader {
 public:
  /// `role` is ours: a server demands masked frames, a client unmasked ones.
  WebSocketReader(WebSocketRole role, Bytes message_max);

  /// Takes all of `bytes`. After a violation nothing more may be fed.
  std::optional<WebSocketViolation> feed(std::string_view bytes);
  /// The next thing that came.
  std::optional<WebSocketEvent> next();

 private:
  using Violation = std::optional<WebSocketViolation>;

  Violation begin_frame();
  Violation check_header(unsigned first, std::uint64_t length) const;
  Violation end_frame();
  Violation end_control();
  Violation end_message();

  WebSocketRole role_;
  std::uint64_t message_max_;
  std::string header_;  // of the frame that is being read, as far as it has come
  bool in_payload_ = false;
  Opcode opcode_ = Opcode::text;
  bool final_ = true;
  std::uint64_t left_ = 0;
  std::uint8_t mask_[4] = {};
  std::size_t mask_at_ = 0;
  std::string control_;
  std::optional<Opcode> message_kind_;  // set while a message is being put together
  std::string message_;
  std::deque<WebSocketEvent> events_;
};

}  // namespace gantry::net
