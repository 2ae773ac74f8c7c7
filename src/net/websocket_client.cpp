#include "net/websocket_client.hpp"

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "net/websocket_impl.hpp"

#include <utility>

#include <boost/asio/this_coro.hpp>  // the loop that the connection belongs to

namespace gantry::net {

async::task<WebSocketAnswer> open_websocket(http::Client& client, http::RequestHead head,
                                            WebSocketLimits limits) {
  auto key = encoding::base64(random::bytes(16));
  head.headers.set("Sec-WebSocket-Version", "13");
  head.headers.set("Sec-WebSocket-Key", key);
  auto answer = co_await client.upgrade(std::move(head), "websocket");
  auto& [upgraded, refusal] = answer;
  if (!upgraded.stream) {
    co_return WebSocketAnswer{{}, upgraded.head.status, std::move(refusal)};
  }
  bool agreed = upgraded.head.status == 101 &&
                upgraded.head.headers.get("Sec-WebSocket-Accept") == websocket_accept(key);
  if (!agreed) {
    throw Failure{{ErrorKind::unavailable,
                   "connection_refused",
                   "cannot open a WebSocket: the server's answer is not one of RFC 6455",
                   {}}};
  }
  co_return WebSocketAnswer{
      make_websocket(co_await boost::asio::this_coro::executor, std::move(upgraded.stream),
                     WebSocketRole::client, limits),
      101,
      {}};
}

}  // namespace gantry::net
