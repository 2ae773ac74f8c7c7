#include "net/ssh_askpass.hpp"

#include "async/descriptor.hpp"

#include <array>
#include <cstring>
#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace gantry::net {
namespace {

bool write_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    auto count = ::write(to, bytes.data(), bytes.size());
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

// Plain system calls: this process lives for one question, and has no loop.
int answer_ssh_question(const std::string& socket, const std::string& question) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) return 1;
  std::memcpy(address.sun_path, socket.data(), socket.size());
  async::Descriptor connection{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
          0 ||
      !write_all(connection.get(), question)) {
    return 1;
  }
  ::shutdown(connection.get(), SHUT_WR);
  std::array<char, 1'024> piece{};
  bool answered = false;
  for (;;) {
    auto count = ::read(connection.get(), piece.data(), piece.size());
    if (count <= 0) break;
    answered = write_all(STDOUT_FILENO, {piece.data(), static_cast<std::size_t>(count)});
  }
  ::explicit_bzero(piece.data(), piece.size());
  return answered && write_all(STDOUT_FILENO, "\n") ? 0 : 1;
}

}  // namespace gantry::net
