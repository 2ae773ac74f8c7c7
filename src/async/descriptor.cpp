#include "async/descriptor.hpp"

#include <cerrno>

#include <boost/asio/posix/stream_descriptor.hpp>  // what waits is Asio's reactor
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <unistd.h>

namespace gantry::async {
namespace asio = boost::asio;

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Descriptor::~Descriptor() { close(); }

void Descriptor::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

task<void> readable(const Descriptor& descriptor) {
  // A copy, because the reactor keeps what it watches non-blocking and closes it.
  int copy = ::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 3);
  if (copy < 0) throw boost::system::system_error{errno, boost::system::system_category()};
  asio::posix::stream_descriptor watched{co_await asio::this_coro::executor, copy};
  co_await watched.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
}

}  // namespace gantry::async
