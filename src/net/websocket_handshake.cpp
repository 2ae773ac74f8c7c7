#include "async/deadline.hpp"
#include "base/encoding.hpp"
#include "base/random.hpp"
#include "net/http_parser.hpp"
#include "net/prefixed_stream.hpp"
#include "net/websocket_impl.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/uuid/detail/sha1.hpp>
#include <fmt/format.h>

namespace gantry::net {
namespace {

constexpr Bytes head_max{16U << 10U};

Failure refused(std::string_view cause) {
  return Failure{{ErrorKind::unavailable,
                  "websocket_refused",
                  fmt::format("cannot open a WebSocket: {}", cause),
                  {}}};
}

/// SHA-1 because RFC 6455 says so; nothing secret depends on it.
std::string sha1(std::string_view text) {
  boost::uuids::detail::sha1 hash;
  hash.process_bytes(text.data(), text.size());
  boost::uuids::detail::sha1::digest_type words;
  hash.get_digest(words);
  std::string digest;
  for (auto word : words) {
    for (unsigned shift : {24U, 16U, 8U, 0U}) digest.push_back(static_cast<char>(word >> shift));
  }
  return digest;
}

async::task<void> read_head(Stream& stream, InputBuffer& input, http::ResponseParser& parser) {
  while (!parser.head_done()) {
    if (input.full() || co_await input.fill(stream) == 0) {
      throw refused("the server closed the connection");
    }
    auto used = parser.feed(input.data());
    if (!used) throw refused("the answer is not HTTP");
    input.consume(*used);
  }
}

async::task<void> shake_hands(Stream& stream, InputBuffer& input, const std::string& request,
                              const std::string& key) {
  co_await stream.write(request);
  http::ResponseParser parser{head_max, http::ResponseParser::Body::none};
  co_await read_head(stream, input, parser);
  const auto& [status, headers] = parser.head();
  if (status != 101) throw refused(fmt::format("the server answered {}", status));
  bool agreed = http::has_token(headers.get("Connection"), "upgrade") &&
                http::has_token(headers.get("Upgrade"), "websocket") &&
                headers.get("Sec-WebSocket-Accept") == websocket_accept(key);
  if (!agreed) throw refused("the server's answer is not one of RFC 6455");
}

}  // namespace

std::optional<std::string> websocket_accept(std::string_view key) {
  auto nonce = encoding::from_base64(key);
  if (key.size() != 24 || !nonce || nonce->size() != 16) return std::nullopt;
  return encoding::base64(sha1(std::string{key} + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
}

async::task<WebSocket> websocket_connect(std::unique_ptr<Stream> stream, std::string host,
                                         std::string target, std::string origin,
                                         WebSocketLimits limits) {
  auto key = encoding::base64(random::word(16));
  http::Headers fields{{"Host", std::move(host)},
                       {"Upgrade", "websocket"},
                       {"Sec-WebSocket-Version", "13"},
                       {"Sec-WebSocket-Key", key}};
  if (!origin.empty()) fields.add("Origin", origin);
  if (!http::is_target(target)) throw refused("the target holds a character that HTTP forbids");
  auto request = fmt::format("GET {} HTTP/1.1\r\nConnection: Upgrade\r\n", target);
  value_or_throw(http::append_fields(request, fields));
  request.append("\r\n");
  InputBuffer input;
  co_await async::with_deadline(limits.write, "opening a WebSocket",
                                shake_hands(*stream, input, request, key));
  if (!input.empty()) stream = prefixed_stream(std::string{input.data()}, std::move(stream));
  co_return make_websocket(co_await boost::asio::this_coro::executor, std::move(stream),
                           WebSocketRole::client, limits);
}

}  // namespace gantry::net
