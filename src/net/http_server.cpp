#include "net/http_server.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/log.hpp"
#include "net/http_session.hpp"
#include "net/listener.hpp"
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

async::task<void> serve(SessionContext& shared, std::unique_ptr<Stream> stream, Peer peer) {
  Session session{shared, std::move(stream), std::move(peer)};
  co_await session.serve();
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

  async::task<void> accept_from(Listener& listener);

  SessionContext shared;
  std::vector<Listener> listeners;
  bool over = false;
  async::Event ended;
  async::TaskScope connections;
  async::TaskScope accepting;
};

async::task<void> Server::Impl::accept_from(Listener& listener) {
  for (;;) {
    auto socket = co_await listener.accept();
    if (!socket) continue;
    if (connections.size() >= shared.limits.connections_max) {
      turn_away(std::move(*socket));
      continue;
    }
    auto peer = listener.peer_of(*socket);
    connections.spawn("connection",
                      serve(shared, socket_stream(std::move(*socket)), std::move(peer)));
  }
}

Server::Server(async::Executor executor, ServerLimits limits, Handler handler)
    : impl_{std::make_unique<Impl>(std::move(executor), limits, std::move(handler))} {}

Server::~Server() = default;

Result<std::uint16_t> Server::listen(std::string_view address) {
  CHECK(impl_->accepting.size() == 0);
  auto listener = Listener::bind(impl_->shared.executor, address);
  if (!listener) return fail(std::move(listener.error()));
  impl_->listeners.push_back(std::move(*listener));
  return impl_->listeners.back().port();
}

async::task<void> Server::run() {
  auto& impl = *impl_;
  // Cancelling this coroutine is how the server is stopped: it must still clean up.
  auto before = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  for (auto& listener : impl.listeners) {
    impl.accepting.spawn("accept", impl.accept_from(listener));
  }
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
  impl.listeners.clear();
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
