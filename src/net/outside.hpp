#pragma once

#include "net/stream.hpp"
#include "net/tls.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Dialling what somebody else named, without being made to reach what only we can reach.
namespace gantry::net {

/// Which addresses may be dialled.
enum class Reach {
  public_only,  ///< Those of the internet (see `is_public`) that are not this machine's own.
  anything,
};

/// Whether the textual address belongs to the internet: not to this machine, a private or shared
/// network, a link, a group or a documentation, and no form that carries such an IPv4 address in an
/// IPv6 one (IANA's special-purpose registries). False for what is no address.
bool is_public(const std::string& address);

/// Whether one of this machine's interfaces has it. Throws Failure, unavailable
/// (`own_addresses_unknown`), when they can not be asked.
bool is_own(const std::string& address);

/// Whom to dial.
struct Outside {
  std::string host;  ///< A name or an address.
  std::uint16_t port = 0;
  Reach reach = Reach::public_only;
  /// Speak TLS; the certificate must be for `host`.
  std::optional<TlsClient> tls = {};
  /// The program that looks up names; the name is added.
  std::vector<std::string> resolver = {"getent", "ahosts", "--"};
};

/// Dials over TCP, at most 10 s, and as long again for TLS. The addresses of a name are looked up
/// once and judged, and only one that was judged is dialled, so that a name can not change its mind
/// between. Throws Failure: denied (`address_refused`) when there is none that may be dialled,
/// unavailable (`unreachable`), timed_out (`unreachable`), as is_own, and as tls_connect.
Connect outside_dialer(Outside outside);

}  // namespace gantry::net
