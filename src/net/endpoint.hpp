#pragma once

#include "base/error.hpp"
#include "net/stream.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace gantry::net {

/// How an engine is reached: `unix:///run/docker.sock` or `tcp://host:2375`.
class Endpoint {
 public:
  enum class Scheme { unix_socket, tcp };

  /// Refuses anything else with the forms it takes. tcp without a port means 2375 (Docker's).
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

/// Dials `endpoint`, at most 10 s. Throws Failure with code
/// `socket_missing` (no such file), `socket_permission` (EACCES), `not_a_socket` (a file or a
/// folder), `not_listening` (refused), `unreachable` (any other way to fail): the causes people
/// must tell apart.
Connect dialer(async::Executor executor, Endpoint endpoint);

}  // namespace gantry::net
