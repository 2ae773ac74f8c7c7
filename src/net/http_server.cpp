#include "net/http_server.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "base/log.hpp"
#include "net/http_session.hpp"
#include "net/listener.hpp"
#include "net/prefixed_stream.hpp"
#include "net/socket_stream.hpp"

#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>

namespace gantry::net::http {
namespace asio = boost::asio;
namespace {

constexpr std::string_view full_answer =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
    "Connection: close\r\n\r\n";

constexpr std::string_view plain_answer =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 45\r\n"
    "Connection: close\r\n\r\nThis port speaks TLS: write https:// for it.\n";
/// The type of the record with which every client of TLS begins (RFC 8446, 5.1).
constexpr char handshake_record = 22;
constexpr std::size_t hello_max = 512;

using Who = std::function<TlsServer()>;

async::task<void> serve(SessionContext& shared, std::unique_ptr<Stream> stream, Peer peer) {
  Session session{shared, std::move(stream), std::move(peer)};
  co_await session.serve();
}

async::task<std::unique_ptr<Stream>> begin_tls(std::unique_ptr<Stream> stream, TlsServer server,
                                               Milliseconds limit) {
  std::string hello(hello_max, '\0');
  hello.resize(co_await async::with_deadline(limit, "the first byte", stream->read_some(hello)));
  if (hello.empty()) {
    throw Failure{{ErrorKind::unavailable, "peer_gone", "the peer said nothing and left", {}}};
  }
  if (hello.front() != handshake_record) {
    stream->write_last(std::string{plain_answer});
    throw Failure{{ErrorKind::unavailable, "tls_not_spoken", "the peer does not speak TLS", {}}};
  }
  co_return co_await tls_accept(prefixed_stream(std::move(hello), std::move(stream)),
                                std::move(server), limit);
}

async::task<void> secure(SessionContext& shared, std::unique_ptr<Stream>& stream,
                         TlsServer server) {
  auto secured =
      co_await async::attempt(begin_tls(std::move(stream), std::move(server), shared.limits.head));
  if (secured) stream = std::move(*secured);
  if (!secured) log::debug("cannot serve a connection: {}", secured.error().sentence());
}

/// A handshake that a full server may give up.
class Handshake {
 public:
  explicit Handshake(SessionContext& shared)
      : shared_{shared},
        given_up_{shared.executor},
        place_{shared.handshakes.insert(shared.handshakes.end(), &given_up_)} {}
  ~Handshake() { shared_.handshakes.erase(place_); }
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  async::task<void> over() { co_await async::race(shared_.closing.wait(), given_up_.wait()); }

 private:
  SessionContext& shared_;
  async::StopSignal given_up_;
  std::list<async::StopSignal*>::iterator place_;
};

/// Nothing when it does not become secure.
async::task<std::unique_ptr<Stream>> secured(SessionContext& shared, std::unique_ptr<Stream> stream,
                                             TlsServer server) {
  Handshake handshake{shared};
  auto winner = co_await async::race(secure(shared, stream, std::move(server)), handshake.over());
  if (winner == async::Winner::second) stream.reset();
  co_return stream;
}

async::task<void> serve_tls(SessionContext& shared, std::unique_ptr<Stream> stream, Peer peer,
                            TlsServer server) {
  stream = co_await secured(shared, std::move(stream), std::move(server));
  if (stream) co_await serve(shared, std::move(stream), std::move(peer));
}

void turn_away(asio::ip::tcp::socket socket) {
  boost::system::error_code ignored;  // a courtesy; the connection is closed in any case
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(full_answer.data(), full_answer.size()), ignored);
}

}  // namespace

struct Server::Impl {
  Impl(async::Executor executor, ServerLimits limits, Handler handler)
      : shared{executor, limits, std::move(handler)},
        ended{executor},
        connections{executor},
        accepting{executor} {}

  /// An address to listen on; without `who` it speaks plain HTTP.
  struct Door {
    Listener listener;
    Who who;
  };
  Result<std::uint16_t> open(std::string_view address, Who who);
  async::task<void> accept_from(Door& door);
  async::task<void> serve_at(const Door& door, asio::ip::tcp::socket socket);

  SessionContext shared;
  std::vector<Door> doors;
  bool over = false;
  async::Event ended;
  async::TaskScope connections;
  async::TaskScope accepting;
};

async::task<void> Server::Impl::accept_from(Door& door) {
  for (;;) {
    auto socket = co_await door.listener.accept();
    if (!socket) {
      // Those who are only waited for have descriptors that others need.
      if (door.listener.starved()) Session::give_up_one(shared);
      continue;
    }
    if (connections.size() < shared.limits.connections_max || Session::give_up_one(shared)) {
      connections.spawn("connection", serve_at(door, std::move(*socket)));
    } else if (!door.who) {
      turn_away(std::move(*socket));
    }
  }
}

async::task<void> Server::Impl::serve_at(const Door& door, asio::ip::tcp::socket socket) {
  auto peer = door.listener.peer_of(socket);
  auto stream = socket_stream(std::move(socket));
  if (!door.who) return serve(shared, std::move(stream), std::move(peer));
  peer.transport = Transport::tls;
  return serve_tls(shared, std::move(stream), std::move(peer), door.who());
}

Result<std::uint16_t> Server::Impl::open(std::string_view address, Who who) {
  CHECK(accepting.size() == 0);
  auto listener = Listener::bind(shared.executor, address);
  if (!listener) return fail(std::move(listener.error()));
  doors.push_back({std::move(*listener), std::move(who)});
  return doors.back().listener.port();
}

Server::Server(async::Executor executor, ServerLimits limits, Handler handler)
    : impl_{std::make_unique<Impl>(std::move(executor), limits, std::move(handler))} {}

Server::~Server() = default;

void Server::trust(TrustedProxies proxies) { impl_->shared.trusted = std::move(proxies); }

Result<std::uint16_t> Server::listen(std::string_view address) { return impl_->open(address, {}); }

Result<std::uint16_t> Server::listen_tls(std::string_view address, Who who) {
  CHECK(who != nullptr);
  return impl_->open(address, std::move(who));
}

async::task<void> Server::run() {
  auto& impl = *impl_;
  // Cancelling this coroutine is how the server is stopped: it must still clean up.
  auto before = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  for (auto& door : impl.doors) impl.accepting.spawn("accept", impl.accept_from(door));
  while (!impl.over) {
    auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) break;
    co_await impl.ended.wait_through_cancellation();
  }
  co_await impl.accepting.close();
  co_await impl.connections.close();
  co_await asio::this_coro::throw_if_cancelled(before);
}

async::task<void> Server::close(Milliseconds grace) {
  auto& impl = *impl_;
  co_await impl.accepting.close();
  impl.doors.clear();
  impl.shared.closing.stop();
  for (auto* session : impl.shared.sessions) session->close_if_idle();
  auto drained = co_await async::attempt(
      async::with_deadline(grace, "ending the requests in flight", impl.connections.join()));
  if (!drained) log::warn("{} connections were cut off", impl.connections.size());
  co_await impl.connections.close();
  impl.over = true;
  impl.ended.notify();
}

}  // namespace gantry::net::http
