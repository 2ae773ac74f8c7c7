#include "integration/outside.hpp"

#include "base/random.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gantry {
namespace {

/// By a shell: words of this file and a random name of ours, never of anybody else.
void command(const std::string& text) {
  if (std::system(text.c_str()) != 0) throw std::runtime_error{"failed: " + text};
}

sockaddr_in place(const char* address, std::uint16_t port) {
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(port);
  inet_pton(AF_INET, address, &place.sin_addr);
  return place;
}

int bound(int type, std::uint16_t port) {
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  auto here = place(Outside::address, port);
  if (bind(fd, reinterpret_cast<sockaddr*>(&here), sizeof here) != 0) _exit(3);
  return fd;
}

void answer_http(int listener) {
  constexpr std::string_view answer =
      "HTTP/1.0 200 OK\r\nContent-Length: 18\r\n\r\nhello from outside";
  int peer = accept(listener, nullptr, nullptr);
  std::array<char, 4096> request{};
  if (recv(peer, request.data(), request.size(), 0) > 0) {
    (void)!write(peer, answer.data(), answer.size());
  }
  shutdown(peer, SHUT_WR);
  (void)recv(peer, request.data(), request.size(), 0);
  close(peer);
}

/// One question, and for IPv4 one answer that points to its name.
void answer_dns(int socket) {
  std::array<unsigned char, 600> bytes{};
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  auto got = recvfrom(socket, bytes.data(), 512, 0, reinterpret_cast<sockaddr*>(&peer), &size);
  if (got < 17) return;
  std::size_t at = 12;
  while (at < static_cast<std::size_t>(got) && bytes[at] != 0) at += bytes[at] + 1U;
  auto end = at + 5;
  if (end > static_cast<std::size_t>(got)) return;
  bool ipv4 = bytes[at + 2] == 1;
  bytes[2] = 0x81;
  bytes[3] = 0x80;
  bytes[7] = ipv4 ? 1 : 0;
  std::memset(bytes.data() + 8, 0, 4);
  if (ipv4) {
    const std::array<unsigned char, 12> head{0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4};
    std::memcpy(bytes.data() + end, head.data(), head.size());
    inet_pton(AF_INET, Outside::address, bytes.data() + end + head.size());
    end += head.size() + 4;
  }
  sendto(socket, bytes.data(), end, 0, reinterpret_cast<sockaddr*>(&peer), size);
}

[[noreturn]] void serve(const std::string& link, int from_parent, int to_parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGPIPE, SIG_IGN);
  char byte = 0;
  if (unshare(CLONE_NEWNET) != 0 || write(to_parent, "u", 1) != 1) _exit(1);
  if (read(from_parent, &byte, 1) != 1) _exit(1);
  auto set_up = fmt::format("ip link set lo up && ip addr add {}/24 dev {} && ip link set {} up",
                            Outside::address, link, link);
  if (std::system(set_up.c_str()) != 0) _exit(2);
  int http = bound(SOCK_STREAM, 80);
  int dns = bound(SOCK_DGRAM, 53);
  if (listen(http, 16) != 0 || write(to_parent, "r", 1) != 1) _exit(1);
  for (;;) {
    std::array<pollfd, 2> sockets{{{http, POLLIN, 0}, {dns, POLLIN, 0}}};
    if (poll(sockets.data(), sockets.size(), -1) < 0) continue;
    if ((sockets[0].revents & POLLIN) != 0) answer_http(http);
    if ((sockets[1].revents & POLLIN) != 0) answer_dns(dns);
  }
}

void hear(int from, char expected) {
  char byte = 0;
  if (read(from, &byte, 1) != 1 || byte != expected) {
    throw std::runtime_error{"the machine outside did not start"};
  }
}

}  // namespace

std::string Outside::missing() {
  if (geteuid() != 0) return "it takes root to make a network namespace";
  if (std::system("ip -V >/dev/null 2>&1") != 0) return "there is no program 'ip'";
  return "";
}

Outside::Outside() : link_{"gw" + random::word(8)} {
  auto peer = link_ + "o";
  std::array<int, 2> down{};
  std::array<int, 2> up{};
  if (pipe(down.data()) != 0 || pipe(up.data()) != 0) throw std::runtime_error{"no pipe"};
  process_ = fork();
  if (process_ == 0) {
    close(down[1]);
    close(up[0]);
    serve(peer, down[0], up[1]);
  }
  close(down[0]);
  close(up[1]);
  hear(up[0], 'u');
  command(fmt::format("ip link add {} type veth peer name {} && ip link set {} netns {}", link_,
                      peer, peer, process_));
  command(fmt::format("ip addr add {}/24 dev {} && ip link set {} up", host_address, link_, link_));
  if (write(down[1], "g", 1) != 1) throw std::runtime_error{"the machine outside has gone"};
  hear(up[0], 'r');
  close(down[1]);
  close(up[0]);
}

Outside::~Outside() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  (void)!std::system(fmt::format("ip link del {} 2>/dev/null", link_).c_str());
}

Listener::Listener() {
  socket_ = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int no = 0;
  setsockopt(socket_, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  sockaddr_in6 here{};
  here.sin6_family = AF_INET6;
  socklen_t size = sizeof here;
  if (bind(socket_, reinterpret_cast<sockaddr*>(&here), size) != 0 || listen(socket_, 64) != 0 ||
      getsockname(socket_, reinterpret_cast<sockaddr*>(&here), &size) != 0) {
    throw std::runtime_error{"nobody can listen here"};
  }
  port_ = ntohs(here.sin6_port);
}

Listener::~Listener() { close(socket_); }

bool host_reaches(const std::string& address, std::uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  auto there = place(address.c_str(), port);
  (void)connect(fd, reinterpret_cast<sockaddr*>(&there), sizeof there);
  pollfd connected{fd, POLLOUT, 0};
  int error = 1;
  socklen_t size = sizeof error;
  if (poll(&connected, 1, 500) == 1) getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  close(fd);
  return error == 0;
}

}  // namespace gantry
