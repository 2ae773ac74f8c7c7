#pragma once

#include "base/error.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::net {

/// How an engine is reached: `unix:///run/docker.sock`, `tcp://host:2375` or `tls://host:2376`.
class Endpoint {
 public:
  enum class Scheme { unix_socket, tcp, tls };

  /// Refuses anything else with the forms it takes. Without a port tcp means 2375 and tls
  /// 2376 (Docker's).
  static Result<Endpoint> parse(std::string_view text);

  Scheme scheme() const { return scheme_; }
  /// The socket's absolute path (unix_socket).
  const std::string& path() const { return path_; }
  const std::string& host() const { return host_; }
  std::uint16_t port() const { return port_; }
  /// As it was written, for people.
  std::string text() const;
  /// What goes into the Host header.
  std::string host_header() const;

 private:
  Scheme scheme_ = Scheme::unix_socket;
  std::string path_;
  std::string host_;
  std::uint16_t port_ = 0;
};

/// Dials `endpoint`, at most 10 s. What `tls` says holds for a tls endpoint, which takes at most 10
/// s more; without it the system's authorities are trusted. Throws Failure as tls_connect, or with
/// code `socket_missing` (no such file), `socket_permission` (EACCES), `not_a_socket` (a file or a
/// folder), `not_listening` (refused), `unreachable` (any other way to fail): the causes people
/// must tell apart.
Connect dialer(async::Executor executor, Endpoint endpoint, std::optional<TlsClient> tls = {});

}  // namespace gantry::net
