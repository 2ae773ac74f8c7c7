#pragma once

#include "async/testing_fake.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

namespace gantry {

/// Listens on loopback, or at a socket of its own, and passes every connection on, byte by byte: an
/// engine's Unix socket as TCP or TLS, or elsewhere with other permissions.
class Relay {
 public:
  /// `to` dials where connections go; with `tls` they come encrypted.
  Relay(async::TestLoop& loop, net::Connect to, std::optional<net::TlsServer> tls = {});
  /// Listens at the Unix socket `path`, which it makes, and which is gone with it.
  Relay(async::TestLoop& loop, net::Connect to, const std::filesystem::path& path);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  std::uint16_t port() const;  ///< Of one on loopback.
  /// Ends every connection; new ones are taken.
  void drop();
  std::size_t open() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry
