#include "async/descriptor.hpp"

#include <cerrno>

#include <boost/asio/posix/stream_descriptor.hpp>  // what waits is Asio's reactor
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <poll.h>
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

namespace {

/// A duplicate that the reactor watches. It is taken out before it is closed: while the original is
/// open, closing alone leaves it in, and its events go to whatever the reactor puts in its place.
class Watched {
 public:
  Watched(const Executor& executor, int fd) : descriptor_{executor, fd} {}
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched() { ::close(descriptor_.release()); }

  auto wait() {
    return descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
  }

 private:
  asio::posix::stream_descriptor descriptor_;
};

/// The reactor may wake the wrong one: what it had queued for a descriptor that was closed (a
/// socket whose connection was refused) is told to the one that takes its place.
bool is_readable(const Descriptor& descriptor) {
  pollfd asked{.fd = descriptor.get(), .events = POLLIN, .revents = 0};
  return ::poll(&asked, 1, 0) != 0;
}

}  // namespace

task<void> readable(const Descriptor& descriptor) {
  // A copy, because the reactor keeps what it watches non-blocking and closes it.
  int copy = ::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 3);
  if (copy < 0) throw boost::system::system_error{errno, boost::system::system_category()};
  Watched watched{co_await asio::this_coro::executor, copy};
  do {
    co_await watched.wait();
  } while (!is_readable(descriptor));
}

}  // namespace gantry::async
