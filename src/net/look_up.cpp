#include "net/look_up.hpp"

#include "async/process.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::net {
namespace ip = boost::asio::ip;
namespace {

constexpr std::size_t addresses_max = 16;
constexpr std::size_t output_max = 16U << 10U;

/// `93.184.216.34   STREAM example.org`: one line for each address and each kind of socket.
std::vector<ip::address> read_addresses(std::string_view output) {
  std::vector<ip::address> found;
  for (auto line : text::split(output, '\n')) {
    boost::system::error_code wrong;
    auto address = ip::make_address(line.substr(0, line.find(' ')), wrong);
    bool known = std::ranges::find(found, address) != found.end();
    if (!wrong && !known && found.size() < addresses_max) found.push_back(address);
  }
  return found;
}

}  // namespace

async::task<std::vector<ip::address>> look_up(std::string host, std::vector<std::string> resolver) {
  boost::system::error_code a_name;
  auto address = ip::make_address(host, a_name);
  if (!a_name) co_return std::vector{address};
  resolver.push_back(host);
  auto asked = co_await async::run_process({.argv = resolver, .env = {"LC_ALL=C"}}, output_max);
  if (!asked) {
    throw Failure{{ErrorKind::unavailable, "resolver_missing",
                   fmt::format("cannot look up '{}': {}", host, asked.error().message),
                   fmt::format("install the program '{}'", resolver.front())}};
  }
  auto found = asked->status.success() ? read_addresses(asked->output) : std::vector<ip::address>{};
  if (!found.empty()) co_return found;
  throw Failure{{ErrorKind::unavailable, "name_unknown",
                 fmt::format("cannot look up '{}': nobody knows this name", text::one_line(host)),
                 "check its spelling, and that this machine reaches its name servers"}};
}

}  // namespace gantry::net
