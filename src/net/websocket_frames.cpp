#include "net/websocket_frames.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace gantry::net {
namespace {

constexpr std::size_t control_max = 125;

bool is_control(Opcode opcode) { return static_cast<unsigned>(opcode) >= 0x8; }

bool is_known(unsigned opcode) { return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xa); }

/// Section 7.4: what may be sent in a close frame.
bool is_close_code(std::uint16_t code) {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

void append_big_endian(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned shift = bytes * 8; shift != 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> (shift - 8)) & 0xffU));
  }
}

std::optional<WebSocketViolation> violation(std::uint16_t code, std::string reason) {
  return WebSocketViolation{code, std::move(reason)};
}

/// How long the header is whose first two bytes are `header`.
std::size_t header_size(std::string_view header) {
  auto second = byte_at(header, 1);
  auto length = second & 0x7fU;
  std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  return 2 + extended + ((second & 0x80U) != 0 ? 4 : 0);
}

}  // namespace

std::string websocket_frame(Opcode opcode, std::string_view payload,
                            std::optional<std::uint32_t> mask) {
  std::string frame;
  frame.reserve(payload.size() + 14);
  frame.push_back(static_cast<char>(0x80U | static_cast<unsigned>(opcode)));
  unsigned masked = mask ? 0x80U : 0;
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(masked | static_cast<unsigned>(payload.size())));
  } else if (payload.size() <= 0xffff) {
    frame.push_back(static_cast<char>(masked | 126U));
    append_big_endian(frame, payload.size(), 2);
  } else {
    frame.push_back(static_cast<char>(masked | 127U));
    append_big_endian(frame, payload.size(), 8);
  }
  if (!mask) return frame.append(payload);
  append_big_endian(frame, *mask, 4);
  for (std::size_t at = 0; at < payload.size(); ++at) {
    auto key = (*mask >> (8 * (3 - at % 4))) & 0xffU;
    frame.push_back(static_cast<char>(byte_at(payload, at) ^ key));
  }
  return frame;
}

std::string close_payload(std::uint16_t code, std::string_view reason) {
  std::string payload;
  append_big_endian(payload, code, 2);
  return payload.append(reason.substr(0, control_max - 2));
}

WebSocketReader::WebSocketReader(WebSocketRole role, Bytes message_max)
    : role_{role}, message_max_{message_max.count} {}

std::optional<WebSocketViolation> WebSocketReader::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!in_payload_) {
      std::size_t wanted = header_.size() < 2 ? 2 : header_size(header_);
      auto taken = std::min(wanted - header_.size(), bytes.size());
      header_.append(bytes.substr(0, taken));
      bytes.remove_prefix(taken);
      if (header_.size() < 2 || header_.size() < header_size(header_)) continue;
      if (auto bad = begin_frame()) return bad;
    }
    auto piece = bytes.substr(0, std::min<std::uint64_t>(left_, bytes.size()));
    bytes.remove_prefix(piece.size());
    left_ -= piece.size();
    auto& into = is_control(opcode_) ? control_ : message_;
    auto start = into.size();
    into.append(piece);
    if (role_ == WebSocketRole::server) {
      for (auto at = start; at < into.size(); ++at) {
        into[at] = static_cast<char>(byte_at(into, at) ^ mask_[mask_at_++ % 4]);
      }
    }
    if (left_ != 0) continue;
    if (auto bad = end_frame()) return bad;
  }
  return std::nullopt;
}

std::optional<WebSocketViolation> WebSocketReader::begin_frame() {
  auto first = byte_at(header_, 0);
  auto second = byte_at(header_, 1);
  bool masked = (second & 0x80U) != 0;
  if (masked != (role_ == WebSocketRole::server)) {
    return violation(1002, "the frame is masked the wrong way");
  }
  auto end = header_.size() - (masked ? 4 : 0);
  std::uint64_t length = second & 0x7fU;
  if (length >= 126) {
    length = 0;
    for (std::size_t at = 2; at < end; ++at) length = length << 8U | byte_at(header_, at);
  }
  if (auto bad = check_header(first, length)) return bad;
  for (std::size_t at = 0; masked && at < 4; ++at) {
    mask_[at] = static_cast<std::uint8_t>(byte_at(header_, end + at));
  }
  mask_at_ = 0;
  opcode_ = static_cast<Opcode>(first & 0x0fU);
  final_ = (first & 0x80U) != 0;
  left_ = length;
  in_payload_ = true;
  header_.clear();
  bool begins_message = opcode_ == Opcode::text || opcode_ == Opcode::binary;
  if (begins_message) message_kind_ = opcode_;
  return std::nullopt;
}

std::optional<WebSocketViolation> WebSocketReader::check_header(unsigned first,
                                                                std::uint64_t length) const {
  if ((first & 0x70U) != 0) return violation(1002, "a reserved bit is set");
  if (!is_known(first & 0x0fU)) return violation(1002, "the opcode is reserved");
  auto opcode = static_cast<Opcode>(first & 0x0fU);
  if (is_control(opcode)) {
    if ((first & 0x80U) == 0) return violation(1002, "a control frame is fragmented");
    if (length > control_max) return violation(1002, "a control frame is too long");
    return std::nullopt;
  }
  bool continues = opcode == Opcode::continuation;
  if (continues && !message_kind_) return violation(1002, "there is nothing to continue");
  if (!continues && message_kind_) return violation(1002, "a message begins inside another");
  if (length > message_max_ - message_.size()) return violation(1009, "the message is too large");
  return std::nullopt;
}

std::optional<WebSocketViolation> WebSocketReader::end_frame() {
  in_payload_ = false;
  if (is_control(opcode_)) return end_control();
  return final_ ? end_message() : std::nullopt;
}

std::optional<WebSocketViolation> WebSocketReader::end_control() {
  WebSocketEvent event{opcode_, std::exchange(control_, {})};
  if (opcode_ == Opcode::close && !event.data.empty()) {
    if (event.data.size() < 2) return violation(1002, "the close frame is malformed");
    auto code = byte_at(event.data, 0) << 8U | byte_at(event.data, 1);
    event.close_code = static_cast<std::uint16_t>(code);
    event.data.erase(0, 2);
    if (!is_close_code(event.close_code)) return violation(1002, "the close code is not allowed");
    if (!text::valid_utf8(event.data)) return violation(1007, "the reason is not UTF-8");
  }
  events_.push_back(std::move(event));
  return std::nullopt;
}

std::optional<WebSocketViolation> WebSocketReader::end_message() {
  WebSocketEvent event{*message_kind_, std::exchange(message_, {})};
  message_kind_.reset();
  if (event.opcode == Opcode::text && !text::valid_utf8(event.data)) {
    return violation(1007, "the text is not UTF-8");
  }
  events_.push_back(std::move(event));
  return std::nullopt;
}

std::optional<WebSocketEvent> WebSocketReader::next() {
  if (events_.empty()) return std::nullopt;
  auto event = std::move(events_.front());
  events_.pop_front();
  return event;
}

}  // namespace gantry::net
