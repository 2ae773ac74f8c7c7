#include "net/listener.hpp"

#include "async/deadline.hpp"
#include "base/log.hpp"

#include <charconv>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace gantry::net {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto pause_when_starved = Milliseconds{100};

std::optional<tcp::endpoint> parse(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  auto host = text.substr(0, colon);
  auto digits = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (bad != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  boost::system::error_code malformed;
  auto address = asio::ip::make_address(host, malformed);
  if (malformed) return std::nullopt;
  return tcp::endpoint{address, port};
}

Error explain(std::string_view address, const boost::system::error_code& cause) {
  namespace errc = boost::system::errc;
  std::string code = "address_unusable";
  std::string remedy = "name an address of this machine";
  if (cause == errc::address_in_use) {
    code = "address_in_use";
    remedy = "stop the program that listens there, or choose another port";
  } else if (cause == errc::permission_denied) {
    code = "address_denied";
    remedy = "choose a port above 1023";
  }
  return {ErrorKind::unavailable, std::move(code),
          fmt::format("cannot listen on '{}': {}", address, cause.message()), std::move(remedy)};
}

asio::ip::address without_mapping(const asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
}

}  // namespace

Listener::Listener(tcp::acceptor acceptor) : acceptor_{std::move(acceptor)} {
  auto bound = acceptor_.local_endpoint();
  port_ = bound.port();
  if (bound.address().is_loopback()) kind_ = http::Peer::Listener::loopback;
}

Result<Listener> Listener::bind(const async::Executor& executor, std::string_view address) {
  auto endpoint = parse(address);
  if (!endpoint) {
    return fail(ErrorKind::invalid, "bad_address",
                fmt::format("cannot listen on '{}': it is not an address with a port", address),
                "write it as 127.0.0.1:5920 or [::1]:5920");
  }
  tcp::acceptor acceptor{executor};
  boost::system::error_code broken;
  acceptor.open(endpoint->protocol(), broken);
  if (!broken) acceptor.set_option(tcp::acceptor::reuse_address{true}, broken);
  if (!broken) acceptor.bind(*endpoint, broken);
  if (!broken) acceptor.listen(tcp::acceptor::max_listen_connections, broken);
  if (broken) return fail(explain(address, broken));
  return Listener{std::move(acceptor)};
}

async::task<std::optional<tcp::socket>> Listener::accept() {
  boost::system::error_code broken;
  auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, broken));
  if (!broken) {
    starved_ = false;
    co_return std::move(socket);
  }
  if (broken == asio::error::operation_aborted) throw boost::system::system_error{broken};
  if (broken == asio::error::connection_aborted) co_return std::nullopt;
  // Out of descriptors: the connection stays in the backlog, and asking again at once would spin.
  if (!starved_) log::warn("cannot accept a connection: {}; trying again", broken.message());
  starved_ = true;
  co_await async::pause(pause_when_starved);
  co_return std::nullopt;
}

http::Peer Listener::peer_of(const tcp::socket& socket) const {
  boost::system::error_code gone;
  auto remote = socket.remote_endpoint(gone);
  auto address = gone ? std::string{} : without_mapping(remote.address()).to_string();
  return {.address = std::move(address), .listener_port = port_, .listener = kind_};
}

}  // namespace gantry::net
