#pragma once

#include "base/error.hpp"
#include "net/http.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::net::http {

struct Peer;

/// The proxies in front of this server whose word on where a request comes from is taken:
/// `X-Forwarded-For` and `X-Forwarded-Proto`. From anybody else those headers mean nothing.
class TrustedProxies {
 public:
  /// None.
  TrustedProxies() = default;
  /// Addresses and networks: `127.0.0.1`, `10.0.0.0/8`, `fd00::/8`. Refused: invalid,
  /// `bad_setting`, with the one that is neither.
  static Result<TrustedProxies> parse(const std::vector<std::string>& networks);

  /// Who a request comes from: `connected`, or, where that is a proxy of these that names somebody,
  /// the last address in its list that is none of these. What came through a proxy counts as come
  /// in by an open listener, whichever it was.
  Peer origin(const Peer& connected, const RequestHead& request) const;

 private:
  /// The first `bits` bits of an address, IPv4 within IPv6 (`::ffff:0:0/96`).
  struct Network {
    std::vector<std::uint8_t> bytes;
    unsigned bits;
  };

  bool contains(std::string_view address) const;

  std::vector<Network> networks_;
};

}  // namespace gantry::net::http
