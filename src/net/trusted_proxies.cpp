#include "net/trusted_proxies.hpp"

#include "base/text.hpp"
#include "net/http_server.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <ranges>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

namespace gantry::net::http {
namespace ip = boost::asio::ip;
namespace {

/// Longer lists are somebody's play: only their end, which proxies wrote, is read.
constexpr std::size_t hops_max = 32;
constexpr unsigned mapped_bits = 96;

using Bytes16 = std::vector<std::uint8_t>;

std::optional<ip::address> address_of(std::string_view text) {
  boost::system::error_code malformed;
  auto address = ip::make_address(text, malformed);
  if (malformed) return std::nullopt;
  return address;
}

Bytes16 bytes_of(const ip::address& address) {
  auto long_form =
      address.is_v4() ? ip::make_address_v6(ip::v4_mapped, address.to_v4()) : address.to_v6();
  auto bytes = long_form.to_bytes();
  return {bytes.begin(), bytes.end()};
}

/// `203.0.113.7`, `203.0.113.7:4711`, `[2001:db8::1]:4711`, `2001:db8::1`, in its usual spelling.
std::optional<std::string> hop(std::string_view text) {
  text = text::trimmed(text);
  if (text.starts_with('[')) {
    text = text.substr(1, text.find(']') == text.npos ? 0 : text.find(']') - 1);
  } else if (std::ranges::count(text, ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  auto address = address_of(text);
  if (!address) return std::nullopt;
  if (address->is_v6() && address->to_v6().is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, address->to_v6()).to_string();
  }
  return address->to_string();
}

/// Every value of a header that may come more than once, or as a list, or both.
std::vector<std::string> listed(const Headers& headers, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [field, value] : headers) {
    if (!text::iequals(field, name)) continue;
    for (auto part : text::split(value, ',')) values.emplace_back(text::trimmed(part));
  }
  return values;
}

}  // namespace

Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& networks) {
  TrustedProxies proxies;
  for (const auto& text : networks) {
    auto slash = text.find('/');
    auto address = address_of(std::string_view{text}.substr(0, slash));
    unsigned all = address && address->is_v4() ? 32 : 128;
    unsigned bits = all;
    bool good = address.has_value();
    if (slash != text.npos) {
      const auto* end = text.data() + text.size();
      auto [stop, code] = std::from_chars(text.data() + slash + 1, end, bits);
      good = good && code == std::errc{} && stop == end && bits <= all;
    }
    if (!good) {
      return fail(ErrorKind::invalid, "bad_setting",
                  fmt::format("cannot trust proxy '{}': it is no address and no network",
                              text::one_line(text)),
                  "write it like 127.0.0.1, 10.0.0.0/8 or fd00::/8");
    }
    proxies.networks_.push_back({bytes_of(*address), bits + (all == 32 ? mapped_bits : 0)});
  }
  return proxies;
}

bool TrustedProxies::contains(std::string_view address) const {
  auto parsed = address_of(address);
  if (!parsed) return false;
  auto bytes = bytes_of(*parsed);
  return std::ranges::any_of(networks_, [&](const Network& network) {
    for (unsigned bit = 0; bit < network.bits; ++bit) {
      auto differ = bytes[bit / 8] ^ network.bytes[bit / 8];
      if ((differ >> (7U - bit % 8) & 1) != 0) return false;
    }
    return true;
  });
}

Peer TrustedProxies::origin(const Peer& connected, const RequestHead& request) const {
  if (networks_.empty() || !contains(connected.address)) return connected;
  auto hops = listed(request.headers, "X-Forwarded-For");
  if (hops.empty()) return connected;
  auto origin = connected;
  for (const auto& text : hops | std::views::reverse | std::views::take(hops_max)) {
    auto address = hop(text);
    // What stands before something unreadable was not written by a proxy of ours.
    if (!address) break;
    origin.address = *address;
    if (!contains(*address)) break;
  }
  origin.listener = Peer::Listener::open;
  auto schemes = listed(request.headers, "X-Forwarded-Proto");
  if (!schemes.empty()) {
    bool secure = text::iequals(schemes.back(), "https");
    origin.transport = secure ? Transport::tls : Transport::plain;
  }
  return origin;
}

}  // namespace gantry::net::http
