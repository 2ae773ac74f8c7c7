#include "sandbox/outbound_addresses.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

namespace gantry::sandbox {
namespace {

constexpr std::size_t blocked_max = 256;  // of a server's own wishes
constexpr std::size_t dns_max = 3;        // more no resolver looks at
// Enough to see that a host's addresses are closed; that all are is gantry-holder's work.
constexpr std::size_t addresses_tried_max = 64;

struct Prefix {
  std::uint32_t address = 0;  ///< In host byte order, without bits behind the length.
  int length = 32;

  bool contains(std::uint32_t other) const { return (other & mask()) == address; }
  std::uint32_t mask() const { return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length); }
  std::string text() const {
    return fmt::format("{}.{}.{}.{}/{}", address >> 24U, address >> 16U & 0xffU,
                       address >> 8U & 0xffU, address & 0xffU, length);
  }
};

std::optional<std::uint32_t> address_of(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string{text}.c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

/// `10.0.0.0/8`, or one address.
std::optional<Prefix> prefix_of(std::string_view text) {
  auto slash = text.find('/');
  auto address = address_of(text.substr(0, slash));
  if (!address) return std::nullopt;
  Prefix prefix;
  if (slash != std::string_view::npos) {
    auto digits = text.substr(slash + 1);
    auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), prefix.length);
    bool whole = error == std::errc{} && end == digits.data() + digits.size();
    if (!whole || prefix.length < 1 || prefix.length > 32) return std::nullopt;
  }
  prefix.address = *address & prefix.mask();
  return prefix;
}

bool is_outside(std::uint32_t address) {
  return std::ranges::none_of(
      never_outside(), [&](std::string_view text) { return prefix_of(text)->contains(address); });
}

std::string_view address_in(std::string_view prefix) { return prefix.substr(0, prefix.find('/')); }

bool ipv6(std::string_view address) { return address.contains(':'); }

std::unexpected<Error> refuse(std::string_view setting, std::string_view value,
                              std::string_view why) {
  return fail(ErrorKind::invalid, "bad_configuration",
              fmt::format("cannot use setting '{}': '{}' {}", setting, value, why));
}

/// What is closed says so at once. Of IPv6 there is not even an address to send from.
bool closed(int error, std::string_view target) {
  if (error == EHOSTUNREACH || error == ENETUNREACH || error == EPERM) return true;
  return ipv6(target) && (error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == EACCES);
}

std::string_view meaning(int error) {
  if (error == 0) return "can be reached";
  if (error == ETIMEDOUT) return "is not closed, it only does not answer";
  return "could not be tried";
}

/// The canary's words: what came of each target.
std::map<std::string, int, std::less<>> answers_of(std::string_view words) {
  std::map<std::string, int, std::less<>> answers;
  for (auto line : text::split(words, '\n')) {
    auto space = line.find(' ');
    if (space == std::string_view::npos) continue;
    auto digits = line.substr(space + 1);
    int error = -1;
    std::from_chars(digits.data(), digits.data() + digits.size(), error);
    answers.emplace(line.substr(0, space), error);
  }
  return answers;
}

// To the outside a route must lead; nothing is sent there.
constexpr std::string_view outside_target = "route/";

// How a program names the interface itself: then Linux sends although no route leads there.
constexpr std::array<std::string_view, 3> past_routes{"device", "pktinfo", "unicast"};

/// What no program may reach, whatever the host is called.
constexpr std::array<const char*, 39> always_closed{"tcp/10.0.0.1/80",
                                                    "tcp/10.255.255.254/80",
                                                    "tcp/172.16.0.1/80",
                                                    "tcp/172.31.255.254/80",
                                                    "tcp/192.168.0.1/80",
                                                    "tcp/192.168.255.254/80",
                                                    "tcp/169.254.169.254/80",
                                                    "udp/169.254.169.254/53",
                                                    "tcp/169.254.170.2/80",
                                                    "tcp/168.63.129.16/80",
                                                    "tcp/100.64.0.1/80",
                                                    "tcp/100.100.100.200/80",
                                                    "tcp/192.0.0.192/80",
                                                    "tcp/198.18.0.1/80",
                                                    "tcp/0.0.0.1/80",
                                                    "udp/224.0.0.1/53",
                                                    "udp/239.255.255.250/1900",
                                                    "udp/240.0.0.1/53",
                                                    "udp/255.255.255.255/67",
                                                    "spread/224.0.0.1/53",
                                                    "spread/224.0.0.251/5353",
                                                    "spread/239.255.255.250/1900",
                                                    "spread/255.255.255.255/67",
                                                    "device/10.0.0.1/53",
                                                    "pktinfo/10.0.0.1/53",
                                                    "device/169.254.169.254/53",
                                                    "pktinfo/169.254.169.254/53",
                                                    "device/::ffff:169.254.169.254/53",
                                                    "device/224.0.0.1/53",
                                                    "device/fe80::1/53",
                                                    "device/ff02::1/53",
                                                    "device/2001:4860:4860::8888/53",
                                                    "tcp/fd00:ec2::254/80",
                                                    "tcp/fc00::1/80",
                                                    "tcp/fe80::1/80",
                                                    "udp/ff02::1/53",
                                                    "tcp/64:ff9b::a9fe:a9fe/80",
                                                    "tcp/::ffff:169.254.169.254/80",
                                                    "tcp/2001:4860:4860::8888/53"};

}  // namespace

std::span<const std::string_view> never_outside() {
  static constexpr std::array<std::string_view, 13> prefixes{
      "0.0.0.0/8",         // this host
      "10.0.0.0/8",        // private
      "100.64.0.0/10",     // carrier's NAT; a cloud's metadata at 100.100.100.200
      "127.0.0.0/8",       // loopback, where it is not the namespace's own
      "168.63.129.16/32",  // what a cloud's machines are answered on by their host
      "169.254.0.0/16",    // link-local, metadata
      "172.16.0.0/12",     // private
      "192.0.0.0/24",      // protocol assignments; a cloud's metadata at 192.0.0.192
      "192.168.0.0/16",    // private
      "198.18.0.0/15",     // measurements between networks
      "224.0.0.0/4",       // multicast
      "240.0.0.0/4",       // reserved
      "255.255.255.255/32"};
  return prefixes;
}

Result<> OutboundWishes::check() const {
  if (dns.empty() || dns.size() > dns_max) {
    return fail(
        ErrorKind::invalid, "bad_configuration",
        fmt::format("cannot use setting 'outbound_dns': it must hold 1 to {} addresses", dns_max));
  }
  for (const auto& server : dns) {
    auto address = address_of(server);
    if (!address) return refuse("outbound_dns", server, "is no address of IPv4");
    if (!is_outside(*address)) {
      return refuse("outbound_dns", server,
                    "is not outside: no program with network 'outbound' reaches it");
    }
  }
  if (blocked.size() > blocked_max) {
    return fail(ErrorKind::invalid, "bad_configuration",
                fmt::format("cannot use setting 'outbound_blocked': it must hold at most {} "
                            "prefixes",
                            blocked_max));
  }
  for (const auto& text : blocked) {
    auto prefix = prefix_of(text);
    if (!prefix) {
      return refuse("outbound_blocked", text, "is no prefix of IPv4 such as '203.0.113.0/24'");
    }
    auto inside = [&](const std::string& server) { return prefix->contains(*address_of(server)); };
    auto found = std::ranges::find_if(dns, inside);
    if (found != dns.end()) {
      return refuse(
          "outbound_blocked", text,
          fmt::format("has '{}' of 'outbound_dns' in it: nobody would resolve a name", *found));
    }
  }
  return ok;
}

Result<HostAddresses> read_survey(std::string_view words) {
  HostAddresses host;
  bool whole = false;
  for (auto line : text::split(words, '\n')) {
    if (line == "end") whole = true;
    if (line.empty() || line == "end") continue;
    if (ipv6(line)) {
      host.ipv6.emplace_back(line);
      continue;
    }
    auto prefix = prefix_of(line);
    if (!prefix) return fail(outbound_refusal("the host's addresses can not be read"));
    if (prefix_of("127.0.0.0/8")->contains(prefix->address)) continue;
    host.ipv4.push_back(prefix->text());
  }
  if (!whole || host.ipv4.empty()) {
    return fail(outbound_refusal("the host does not tell its addresses"));
  }
  std::ranges::sort(host.ipv4);
  std::ranges::sort(host.ipv6);
  return host;
}

std::vector<std::string> blocked_prefixes(const HostAddresses& host,
                                          std::span<const engine::Network> networks,
                                          const OutboundWishes& wishes) {
  std::set<std::string> prefixes;
  auto add = [&](std::string_view text) {
    if (auto prefix = prefix_of(text)) prefixes.insert(prefix->text());
  };
  std::ranges::for_each(never_outside(), add);
  std::ranges::for_each(host.ipv4, add);
  for (const auto& network : networks) {
    for (const auto& subnet : network.subnets) {
      add(subnet.prefix);
      add(subnet.gateway);
    }
  }
  std::ranges::for_each(wishes.blocked, add);
  return {prefixes.begin(), prefixes.end()};
}

std::vector<std::string> canary_targets(const HostAddresses& host, const engine::Network& bridge,
                                        std::string_view outside) {
  std::vector<std::string> targets{fmt::format("{}{}/53", outside_target, outside)};
  targets.insert(targets.end(), always_closed.begin(), always_closed.end());
  for (const auto& subnet : bridge.subnets) {
    auto prefix = prefix_of(subnet.prefix);
    if (!prefix) continue;
    auto last = Prefix{prefix->address | ~prefix->mask()};
    auto neighbour = Prefix{last.address - 1};
    targets.push_back(fmt::format("tcp/{}/80", address_in(neighbour.text())));
    targets.push_back(fmt::format("udp/{}/67", address_in(last.text())));
    targets.push_back(fmt::format("spread/{}/67", address_in(last.text())));
    for (auto port : {22, 53, 2375, 5920}) {
      targets.push_back(fmt::format("tcp/{}/{}", subnet.gateway, port));
    }
    targets.push_back(fmt::format("udp/{}/53", subnet.gateway));
    targets.push_back(fmt::format("link/{}/53", subnet.gateway));
    targets.push_back(fmt::format("loose/{}/53", subnet.gateway));
    targets.push_back(fmt::format("device/::ffff:{}/53", subnet.gateway));
    for (auto way : past_routes) {
      targets.push_back(fmt::format("{}/{}/53", way, subnet.gateway));
      targets.push_back(fmt::format("{}/{}/53", way, address_in(neighbour.text())));
    }
  }
  std::size_t tried = 0;
  for (const auto* addresses : {&host.ipv4, &host.ipv6}) {
    for (const auto& prefix : *addresses) {
      if (prefix.starts_with("::1/") || ++tried > addresses_tried_max) continue;
      targets.push_back(fmt::format("tcp/{}/5920", address_in(prefix)));
      targets.push_back(fmt::format("device/{}/53", address_in(prefix)));
      if (!ipv6(prefix)) targets.push_back(fmt::format("pktinfo/{}/53", address_in(prefix)));
    }
  }
  return targets;
}

Result<> judge_canary(std::span<const std::string> targets, std::string_view words) {
  auto answers = answers_of(words);
  for (const auto& target : targets) {
    auto found = answers.find(target);
    auto error = found == answers.end() ? -1 : found->second;
    if (target.starts_with(outside_target)) {
      if (error == 0) continue;
      return fail(outbound_refusal("the canary found no route to the outside"));
    }
    if (closed(error, target)) continue;
    return fail(
        outbound_refusal(fmt::format("the canary found that '{}' {}", target, meaning(error))));
  }
  return ok;
}

Error outbound_refusal(std::string_view reason) {
  return {ErrorKind::unavailable, "network_not_available",
          fmt::format("cannot run with network 'outbound': field 'limits.network' can not be kept "
                      "on this engine: {}",
                      reason),
          "ask for network 'none', or look at docs/network.md for what the engine's host needs"};
}

}  // namespace gantry::sandbox
