#include "net/socket_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace gantry::net {
namespace asio = boost::asio;
namespace {

/// Bytes that wait for room in a socket's buffer, with nobody waiting for them.
template <class Socket>
struct Parting {
  Socket* socket;  // none once the stream has gone
  std::string bytes{};

  static void go_on(std::shared_ptr<Parting> parting) {
    auto& socket = *parting->socket;
    socket.async_wait(Socket::wait_write, [parting](const boost::system::error_code& ended) {
      if (ended || parting->socket == nullptr || !parting->hand_over()) return;
      if (!parting->bytes.empty()) go_on(parting);
    });
  }

  /// Whether there is a point in going on.
  bool hand_over() {
    boost::system::error_code broken;
    bytes.erase(0, socket->write_some(asio::buffer(bytes), broken));
    return !broken || broken == asio::error::would_block;
  }
};

template <class Socket>
class SocketStream final : public Stream {
 public:
  explicit SocketStream(Socket socket) : socket_{std::move(socket)} {}
  ~SocketStream() override {
    if (parting_) parting_->socket = nullptr;
  }

  async::task<std::size_t> read_some(std::span<char> into) override {
    boost::system::error_code broken;
    auto count = co_await socket_.async_read_some(
        asio::buffer(into.data(), into.size()), asio::redirect_error(asio::use_awaitable, broken));
    if (broken == asio::error::eof) co_return 0;
    if (broken) throw boost::system::system_error{broken};
    co_return count;
  }

  async::task<void> write(std::string_view bytes) override {
    // Nearly every write fits into the socket's buffer: try before going through the loop.
    boost::system::error_code broken;
    auto count = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), broken);
    if (broken && broken != asio::error::would_block) throw boost::system::system_error{broken};
    if (count == bytes.size()) co_return;
    bytes.remove_prefix(count);
    co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()),
                               asio::use_awaitable);
  }

  void write_last(std::string bytes) override {
    if (!parting_) parting_ = std::make_shared<Parting<Socket>>(&socket_);
    bool waiting = !parting_->bytes.empty();
    parting_->bytes.append(bytes);
    if (waiting || bytes.empty()) return;
    if (parting_->hand_over() && !parting_->bytes.empty()) Parting<Socket>::go_on(parting_);
  }

  void finish_writing() override {
    boost::system::error_code ignored;  // the peer may be gone already
    socket_.shutdown(Socket::shutdown_send, ignored);
  }

  void close() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  Socket socket_;
  std::shared_ptr<Parting<Socket>> parting_;  // also the handler's, which may run after our end
};

}  // namespace

std::unique_ptr<Stream> socket_stream(asio::local::stream_protocol::socket socket) {
  socket.non_blocking(true);
  return std::make_unique<SocketStream<asio::local::stream_protocol::socket>>(std::move(socket));
}

std::unique_ptr<Stream> socket_stream(asio::ip::tcp::socket socket) {
  boost::system::error_code ignored;  // a socket that is broken already says so at the first read
  socket.non_blocking(true, ignored);
  socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
  return std::make_unique<SocketStream<asio::ip::tcp::socket>>(std::move(socket));
}

}  // namespace gantry::net
