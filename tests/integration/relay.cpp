#include "integration/relay.hpp"

#include "async/attempt.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "net/socket_stream.hpp"

#include <array>
#include <list>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace gantry {
namespace asio = boost::asio;
namespace {

async::task<void> pump(net::Stream& from, net::Stream& to) {
  std::array<char, 16'384> scratch{};
  for (;;) {
    auto count = co_await from.read_some(scratch);
    if (count == 0) break;
    co_await to.write({scratch.data(), count});
  }
  to.finish_writing();
}

}  // namespace

struct Relay::Impl {
  Impl(async::TestLoop& test_loop, net::Connect connect, std::optional<net::TlsServer> server)
      : loop{test_loop}, to{std::move(connect)}, tls{std::move(server)} {}

  template <class Acceptor>
  async::task<void> accept(Acceptor& acceptor) {
    for (;;) {
      auto socket = co_await acceptor.async_accept(asio::use_awaitable);
      tasks.spawn("relayed connection", pass(net::socket_stream(std::move(socket))));
    }
  }

  async::task<void> pass(std::unique_ptr<net::Stream> near) {
    // A connection that breaks is what a relay is for.
    co_await async::attempt(splice(std::move(near)));
  }

  async::task<void> splice(std::unique_ptr<net::Stream> near) {
    if (tls) near = co_await net::tls_accept(std::move(near), *tls);
    auto far = co_await to();
    auto place = open.insert(open.end(), {near.get(), far.get()});
    auto ended = co_await async::attempt(async::both(pump(*near, *far), pump(*far, *near)));
    open.erase(place);
  }

  async::TestLoop& loop;
  net::Connect to;
  std::optional<net::TlsServer> tls;
  asio::ip::tcp::acceptor ports{loop.executor()};
  asio::local::stream_protocol::acceptor sockets{loop.executor()};
  std::filesystem::path path;  ///< Empty: it listens on loopback.
  std::list<std::pair<net::Stream*, net::Stream*>> open;
  async::TaskScope tasks{loop.executor()};
};

Relay::Relay(async::TestLoop& loop, net::Connect to, std::optional<net::TlsServer> tls)
    : impl_{std::make_unique<Impl>(loop, std::move(to), std::move(tls))} {
  asio::ip::tcp::endpoint here{asio::ip::address_v4::loopback(), 0};
  impl_->ports = asio::ip::tcp::acceptor{loop.executor(), here};
  impl_->tasks.spawn("relay", impl_->accept(impl_->ports));
}

Relay::Relay(async::TestLoop& loop, net::Connect to, const std::filesystem::path& path)
    : impl_{std::make_unique<Impl>(loop, std::move(to), std::nullopt)} {
  asio::local::stream_protocol::endpoint here{path.string()};
  impl_->sockets = asio::local::stream_protocol::acceptor{loop.executor(), here};
  impl_->path = path;
  impl_->tasks.spawn("relay", impl_->accept(impl_->sockets));
}

Relay::~Relay() {
  impl_->loop.run(impl_->tasks.close());
  std::error_code ignored;
  if (!impl_->path.empty()) std::filesystem::remove(impl_->path, ignored);
}

std::uint16_t Relay::port() const { return impl_->ports.local_endpoint().port(); }

void Relay::drop() {
  for (auto [near, far] : impl_->open) {
    near->close();
    far->close();
  }
}

std::size_t Relay::open() const { return impl_->open.size(); }

}  // namespace gantry
