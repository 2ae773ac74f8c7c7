#include "net/local_pair.hpp"

#include "net/socket_stream.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <sys/socket.h>

namespace gantry::net {
namespace asio = boost::asio;
namespace {

Result<std::array<async::Descriptor, 2>> socket_pair(int type) {
  int fds[2];
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0) {
    return fail(ErrorKind::unavailable, "no_socket",
                fmt::format("cannot make a pair of sockets: {}", std::strerror(errno)),
                "raise the limit of open files");
  }
  return std::array{async::Descriptor{fds[0]}, async::Descriptor{fds[1]}};
}

[[noreturn]] void throw_errno() {
  throw boost::system::system_error{errno, boost::system::system_category()};
}

using Control = std::array<char, CMSG_SPACE(PacketSocket::descriptors_max * sizeof(int))>;

std::vector<async::Descriptor> descriptors_of(msghdr& message) {
  std::vector<async::Descriptor> found;
  for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    auto count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      found.emplace_back(fd);
    }
  }
  return found;
}

/// The room in `control` that `descriptors` take.
std::size_t put_descriptors(Control& control, std::span<const int> descriptors) {
  msghdr message{};
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  auto* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size_bytes());
  return message.msg_controllen;
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

Result<StreamPair> stream_pair(const async::Executor& executor) {
  auto pair = socket_pair(SOCK_STREAM);
  if (!pair) return fail(pair.error());
  asio::local::stream_protocol::socket near{executor};
  near.assign(asio::local::stream_protocol{}, (*pair)[0].release());
  return StreamPair{socket_stream(std::move(near)), std::move((*pair)[1])};
}

struct PacketSocket::Impl {
  asio::posix::stream_descriptor socket;
};

PacketSocket::PacketSocket(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
PacketSocket::PacketSocket(PacketSocket&&) noexcept = default;
PacketSocket& PacketSocket::operator=(PacketSocket&&) noexcept = default;
PacketSocket::~PacketSocket() = default;

async::task<Packet> PacketSocket::receive() {
  Packet packet;
  packet.bytes.resize(bytes_max);
  alignas(cmsghdr) Control control;
  for (;;) {
    iovec into{packet.bytes.data(), packet.bytes.size()};
    msghdr message{};
    message.msg_iov = &into;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto size = ::recvmsg(impl_->socket.native_handle(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size >= 0) {
      packet.bytes.resize(static_cast<std::size_t>(size));
      packet.descriptors = descriptors_of(message);
      co_return packet;
    }
    if (!would_block()) throw_errno();
    co_await impl_->socket.async_wait(asio::posix::stream_descriptor::wait_read,
                                      asio::use_awaitable);
  }
}

async::task<void> PacketSocket::send(std::string_view bytes, std::span<const int> descriptors) {
  CHECK(bytes.size() <= bytes_max && descriptors.size() <= descriptors_max);
  alignas(cmsghdr) Control control;
  for (;;) {
    iovec from{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &from;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
      message.msg_controllen = put_descriptors(control, descriptors);
      message.msg_control = control.data();
    }
    if (::sendmsg(impl_->socket.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
      co_return;
    }
    if (!would_block()) throw_errno();
    co_await impl_->socket.async_wait(asio::posix::stream_descriptor::wait_write,
                                      asio::use_awaitable);
  }
}

Result<PacketPair> packet_pair(const async::Executor& executor) {
  auto pair = socket_pair(SOCK_SEQPACKET);
  if (!pair) return fail(pair.error());
  asio::posix::stream_descriptor near{executor, (*pair)[0].release()};
  return PacketPair{
      PacketSocket{std::make_unique<PacketSocket::Impl>(PacketSocket::Impl{std::move(near)})},
      std::move((*pair)[1])};
}

}  // namespace gantry::net
