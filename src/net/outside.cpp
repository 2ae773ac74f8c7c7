#include "net/outside.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "net/look_up.hpp"
#include "net/socket_stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>

namespace gantry::net {
namespace asio = boost::asio;
namespace ip = boost::asio::ip;
namespace {

constexpr Milliseconds dial_limit{10'000};

struct Block4 {
  std::uint32_t first;
  int bits;
};
constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return (a << 24U) | (b << 16U) | (c << 8U) | d;
}
// https://www.iana.org/assignments/iana-ipv4-special-registry, multicast and what is reserved.
constexpr std::array special4{
    Block4{v4(0, 0, 0, 0), 8},      Block4{v4(10, 0, 0, 0), 8},     Block4{v4(100, 64, 0, 0), 10},
    Block4{v4(127, 0, 0, 0), 8},    Block4{v4(169, 254, 0, 0), 16}, Block4{v4(172, 16, 0, 0), 12},
    Block4{v4(192, 0, 0, 0), 24},   Block4{v4(192, 0, 2, 0), 24},   Block4{v4(192, 88, 99, 0), 24},
    Block4{v4(192, 168, 0, 0), 16}, Block4{v4(198, 18, 0, 0), 15},  Block4{v4(198, 51, 100, 0), 24},
    Block4{v4(203, 0, 113, 0), 24}, Block4{v4(224, 0, 0, 0), 3}};

bool is_public4(const ip::address_v4& address) {
  auto number = address.to_uint();
  return std::ranges::none_of(special4, [&](const Block4& block) {
    return (number >> (32 - block.bits)) == (block.first >> (32 - block.bits));
  });
}

bool is_public6(const ip::address_v6& address) {
  // Only 2000::/3 is handed out to the internet; inside it a few blocks are not.
  auto bytes = address.to_bytes();
  if ((bytes[0] & 0xE0U) != 0x20U) return false;
  auto begins = [&](std::initializer_list<unsigned> prefix) {
    return std::equal(prefix.begin(), prefix.end(), bytes.begin());
  };
  if (begins({0x20, 0x01, 0x0d, 0xb8})) return false;         // documentation
  if (begins({0x3f, 0xff}) && bytes[2] < 0x10) return false;  // documentation
  if (begins({0x20, 0x01}) && bytes[2] < 0x02) return false;  // Teredo and others
  return !begins({0x20, 0x02});                               // 6to4
}

bool is_public_address(const ip::address& address) {
  if (address.is_v4()) return is_public4(address.to_v4());
  return is_public6(address.to_v6());
}

/// The addresses of this machine's interfaces: what listens on them may be meant for others than
/// the one who names them.
std::vector<ip::address> own_addresses() {
  std::vector<ip::address> found;
  ifaddrs* interfaces = nullptr;
  if (::getifaddrs(&interfaces) != 0) {
    throw Failure{{ErrorKind::unavailable, "own_addresses_unknown",
                   fmt::format("cannot look up this machine's addresses: {}", std::strerror(errno)),
                   "check how many files the server has open"}};
  }
  for (auto* one = interfaces; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    if (one->ifa_addr->sa_family == AF_INET) {
      sockaddr_in four{};
      std::memcpy(&four, one->ifa_addr, sizeof four);
      found.emplace_back(ip::make_address_v4(ntohl(four.sin_addr.s_addr)));
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 six{};
      std::memcpy(&six, one->ifa_addr, sizeof six);
      ip::address_v6::bytes_type bytes{};
      std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
      found.emplace_back(ip::make_address_v6(bytes));
    }
  }
  ::freeifaddrs(interfaces);
  return found;
}

bool is_one_of(const std::vector<ip::address>& addresses, const ip::address& address) {
  return std::ranges::find(addresses, address) != addresses.end();
}

std::vector<ip::tcp::endpoint> allowed(const std::vector<ip::address>& found,
                                       const Outside& outside) {
  std::vector<ip::tcp::endpoint> endpoints;
  auto own = outside.reach == Reach::anything ? std::vector<ip::address>{} : own_addresses();
  for (const auto& address : found) {
    bool good = is_public_address(address) && !is_one_of(own, address);
    if (good || outside.reach == Reach::anything) endpoints.emplace_back(address, outside.port);
  }
  return endpoints;
}

Failure unreachable(const std::string& host, ErrorKind kind, std::string_view why) {
  return Failure{{kind, "unreachable", fmt::format("cannot connect to '{}': {}", host, why),
                  "check the address and the network between"}};
}

async::task<std::unique_ptr<Stream>> connect(Outside outside) {
  auto endpoints = allowed(co_await look_up(outside.host, outside.resolver), outside);
  if (endpoints.empty()) {
    throw Failure{
        {ErrorKind::denied, "address_refused",
         fmt::format("cannot connect to '{}': it is no address of the internet", outside.host),
         "name a public address"}};
  }
  boost::system::error_code broken;
  ip::tcp::socket socket{co_await asio::this_coro::executor};
  co_await asio::async_connect(socket, endpoints,
                               asio::redirect_error(asio::use_awaitable, broken));
  if (broken == asio::error::operation_aborted) throw boost::system::system_error{broken};
  if (broken) throw unreachable(outside.host, ErrorKind::unavailable, broken.message());
  co_return socket_stream(std::move(socket));
}

async::task<std::unique_ptr<Stream>> dial(Outside outside) {
  auto stream =
      co_await async::attempt(async::with_deadline(dial_limit, "connecting", connect(outside)));
  if (stream && outside.tls) {
    co_return co_await tls_connect(std::move(*stream), *outside.tls, outside.host);
  }
  if (stream) co_return std::move(*stream);
  if (stream.error().kind == ErrorKind::timed_out) {
    throw unreachable(outside.host, ErrorKind::timed_out, "no answer within 10 s");
  }
  throw Failure{std::move(stream.error())};
}

}  // namespace

bool is_public(const std::string& address) {
  boost::system::error_code wrong;
  auto parsed = ip::make_address(address, wrong);
  return !wrong && is_public_address(parsed);
}

bool is_own(const std::string& address) {
  boost::system::error_code wrong;
  auto parsed = ip::make_address(address, wrong);
  return !wrong && is_one_of(own_addresses(), parsed);
}

Connect outside_dialer(Outside outside) {
  return [outside = std::move(outside)] { return dial(outside); };
}

}  // namespace gantry::net
