#pragma once

// Sockets are Asio's business: included by the .cpp files of this folder only.
#include "async/task.hpp"
#include "net/http_server.hpp"

#include <optional>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

namespace gantry::net {

/// A TCP socket that listens.
class Listener {
 public:
  /// `127.0.0.1:5920`, `[::]:5920`; port 0 takes a free one. Refused with `address_in_use`,
  /// `address_denied` or `bad_address`.
  static Result<Listener> bind(const async::Executor& executor, std::string_view address);

  std::uint16_t port() const { return port_; }
  /// The next connection; nothing when it has to wait because descriptors or memory ran out, or
  /// when the connection was gone before it could be taken.
  async::task<std::optional<boost::asio::ip::tcp::socket>> accept();
  /// Whether the last `accept` answered nothing because descriptors or memory ran out.
  bool starved() const { return starved_; }
  /// Who is at the other end.
  http::Peer peer_of(const boost::asio::ip::tcp::socket& socket) const;

 private:
  explicit Listener(boost::asio::ip::tcp::acceptor acceptor);

  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  http::Peer::Listener kind_ = http::Peer::Listener::open;
  bool starved_ = false;
};

}  // namespace gantry::net
