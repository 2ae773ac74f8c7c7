#include "fleet/host_config.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <boost/asio/ip/address.hpp>  // parsing only

namespace gantry::fleet {
namespace {

constexpr std::size_t name_max = 63;

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_loopback(const std::string& host) {
  if (text::iequals(host, "localhost")) return true;
  boost::system::error_code none;
  auto address = boost::asio::ip::make_address(host, none);
  return !none && address.is_loopback();
}

}  // namespace

bool valid_host_name(std::string_view text) {
  auto fits = [](char c) { return is_plain(c) || c == '_' || c == '.' || c == '-'; };
  return !text.empty() && text.size() <= name_max && is_plain(text.front()) &&
         std::ranges::all_of(text, fits);
}

bool travels_in_clear(const net::Endpoint& endpoint) {
  return endpoint.scheme() == net::Endpoint::Scheme::tcp && !is_loopback(endpoint.host());
}

}  // namespace gantry::fleet
