#pragma once

#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "net/http.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"
#include "net/trusted_proxies.hpp"
#include "net/websocket.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace gantry::net::http {

/// How long each phase of a connection may take and how much a peer may send.
struct ServerLimits {
  Milliseconds idle{75'000};   ///< Waiting for the next request's first byte.
  Milliseconds head{10'000};   ///< From its first byte to the end of the head.
  Milliseconds body{60'000};   ///< From the head to the end of the body.
  Milliseconds write{30'000};  ///< One write: a peer that does not read is dropped.
  Bytes head_max{32U << 10U};
  std::size_t connections_max = 1024;
  /// What the bodies of all requests and answers hold together; of requests what has come. Those up
  /// to 64 KiB are not counted: `connections_max` bounds them.
  Bytes held_max{512U << 20U};
};

enum class Transport { plain, tls };

/// Where a connection came in and from whom.
struct Peer {
  std::string address;  ///< `127.0.0.1`, `::1`
  std::uint16_t listener_port = 0;
  enum class Listener { loopback, open } listener = Listener::open;
  Transport transport = Transport::plain;
};

/// One request and its answer. Exactly one of `respond`, `begin_stream` or `accept_websocket`
/// answers it. Lives as long as the handler runs.
class Exchange {
 public:
  struct Impl;
  explicit Exchange(Impl& impl) : impl_{impl} {}

  const RequestHead& request() const;
  /// Who asks: as a trusted proxy says, or who is connected.
  const Peer& peer() const;

  /// The whole body, at most `max` bytes: refused (too_large) by the declared length before a byte
  /// is read, or when a chunked body grows over it; refused (exhausted) when there is no room to
  /// `hold` it, at once or while it comes. Sends `100 Continue` where it is expected.
  async::task<Result<std::string>> body(Bytes max);

  /// Counts so many bytes more as held by this exchange, until it ends or lets go. Refused,
  /// exhausted (`server_full`): with what all others hold that is above ServerLimits::held_max.
  Result<> hold(Bytes bytes);
  /// Nothing of the request's body, nor of what was held beside it, is needed any more.
  void let_go();

  async::task<void> respond(ResponseHead head, std::string body);
  /// A body of unknown length (chunked): every `send` is flushed at once.
  async::task<void> begin_stream(ResponseHead head);
  async::task<void> send(std::string piece);
  async::task<void> finish_stream();
  bool answered() const;
  /// Returns when the peer has gone away, half-closed, or sent more than 64 KiB ahead (for handlers
  /// that would otherwise never notice); use it beside the work in a TaskScope or race, not beside
  /// `body`.
  async::task<void> peer_gone();
  /// Returns when the server begins to close: long answers and WebSockets end themselves then.
  async::task<void> server_closing();

  /// Answers the upgrade of RFC 6455 and hands over the connection.
  async::task<WebSocket> accept_websocket(WebSocketLimits limits);

 private:
  Impl& impl_;
};

using Handler = std::function<async::task<void>(Exchange&)>;

/// An HTTP/1.1 server: accepts on any number of addresses, one coroutine per connection, keep-alive
/// and pipelining in order. Malformed requests get 400 (408, 413, 414, 431, 501, 505 as fits) and
/// the connection is closed; both Content-Length and Transfer-Encoding is a 400. An exception out
/// of the handler is a 500 when nothing was sent, and closes otherwise.
class Server {
 public:
  Server(async::Executor executor, ServerLimits limits, Handler handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Whose word on where requests come from is taken from now on.
  void trust(TrustedProxies proxies);

  /// Binds and listens on `127.0.0.1:5920`, `[::]:5920`, `0.0.0.0:0`; answers the port it got.
  /// Loopback addresses make a loopback listener (see Peer).
  Result<std::uint16_t> listen(std::string_view address);
  /// As `listen`, but TLS is spoken, as who `who` says when a connection comes. Who speaks plain
  /// HTTP there is told so.
  Result<std::uint16_t> listen_tls(std::string_view address, std::function<TlsServer()> who);
  /// Serves until cancelled; returns never by itself.
  async::task<void> run();
  /// Stops accepting, lets requests in flight end within `grace`, then closes everything.
  async::task<void> close(Milliseconds grace);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::net::http
