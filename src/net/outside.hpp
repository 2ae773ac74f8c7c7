#pragma once

#include "net/stream.hpp"

#include <cstdint>
#include <string>

/// Dialling what somebody else named, without being made to reach what only we can reach.
namespace gantry::net {

/// Which addresses may be dialled.
enum class Reach {
  public_only,  ///< Those of the internet: see `is_public`.
  anything,
};

/// Whether the textual address belongs to the internet: not to this machine, a private or shared
/// network, a link, a group or a documentation, and no form that carries such an IPv4 address in an
/// IPv6 one (IANA's special-purpose registries). False for what is no address.
bool is_public(const std::string& address);

/// Dials a host by name or address over TCP, at most 10 s. The addresses of a name are looked up
/// once and judged, and only one that was judged is dialled, so that a name can not change its mind
/// between. Throws Failure: denied (`address_refused`) when there is none that may be dialled,
/// unavailable (`unreachable`), timed_out (`unreachable`).
Connect outside_dialer(std::string host, std::uint16_t port, Reach reach);

}  // namespace gantry::net
