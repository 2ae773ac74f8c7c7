#pragma once

// Sockets are Asio's business: included by the .cpp files of this folder only.
#include "net/stream.hpp"

#include <memory>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace gantry::net {

/// A connected socket as a Stream.
std::unique_ptr<Stream> socket_stream(boost::asio::local::stream_protocol::socket socket);
/// The same, with Nagle's delay off.
std::unique_ptr<Stream> socket_stream(boost::asio::ip::tcp::socket socket);

}  // namespace gantry::net
