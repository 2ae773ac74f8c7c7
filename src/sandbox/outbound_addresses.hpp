#pragma once

#include "base/error.hpp"
#include "engine/networks.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Which addresses a program with `outbound` must not reach, and how it is told whether it does.
/// Pure.
namespace gantry::sandbox {

/// What the owner of a server says about `outbound`.
struct OutboundWishes {
  /// Who resolves names: public addresses of IPv4.
  std::vector<std::string> dns{"1.1.1.1", "9.9.9.9"};
  /// What is out of reach besides: `203.0.113.0/24`.
  std::vector<std::string> blocked = {};
  /// Refuses what is no address, or a resolver that no program can reach; names the setting.
  Result<> check() const;
};

/// Everything that is not the outside, as IANA's registry of special purposes has it, and what
/// clouds answer their machines on.
std::span<const std::string_view> never_outside();

/// What an engine's host calls its own: all local addresses of its network namespace.
struct HostAddresses {
  std::vector<std::string> ipv4;  ///< Prefixes, the loopback's without.
  std::vector<std::string> ipv6;
  bool operator==(const HostAddresses&) const = default;
};
/// Reads what `gantry-holder survey` said; refuses (network_not_available) what is not whole.
Result<HostAddresses> read_survey(std::string_view words);

/// All that gantry-holder makes unreachable, each prefix once.
std::vector<std::string> blocked_prefixes(const HostAddresses& host,
                                          std::span<const engine::Network> networks,
                                          const OutboundWishes& wishes);

/// What the canary tries, as `gantry-holder reach` takes it; `outside` is where a route must lead.
std::vector<std::string> canary_targets(const HostAddresses& host, const engine::Network& bridge,
                                        std::string_view outside);
/// Refuses (network_not_available) when something of it could be reached, was not tried, or timed
/// out: what is out of reach fails at once. `words` is what the canary said.
Result<> judge_canary(std::span<const std::string> targets, std::string_view words);

/// That `outbound` can not be had here, with the reason.
Error outbound_refusal(std::string_view reason);

}  // namespace gantry::sandbox
