#pragma once

#include "async/testing_fake.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace gantry {

/// Listens on loopback and passes every connection on, byte by byte: an engine's Unix socket as TCP
/// or TLS.
class Relay {
 public:
  /// `to` dials where connections go; with `tls` they come encrypted.
  Relay(async::TestLoop& loop, net::Connect to, std::optional<net::TlsServer> tls = {});
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  std::uint16_t port() const;
  /// Ends every connection; new ones are taken.
  void drop();
  std::size_t open() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry
