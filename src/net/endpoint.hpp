#pragma once

#include "base/error.hpp"
#include "net/ssh_settings.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::net {

/// How an engine is reached: `unix:///run/docker.sock`, `tcp://host:2375`, `tls://host:2376` or
/// `ssh://user@host:22/run/docker.sock`.
class Endpoint {
 public:
  enum class Scheme { unix_socket, tcp, tls, ssh };

  /// Refuses anything else with the forms it takes. Without a port tcp means 2375 and tls
  /// 2376 (Docker's). Users, hosts and paths of ssh can not be taken for options of OpenSSH's nor
  /// hold anything that it or a shell would read as more than a name (SshHop::parse).
  static Result<Endpoint> parse(std::string_view text);

  Scheme scheme() const { return scheme_; }
  /// The socket's absolute path (unix_socket; ssh, where it is empty unless one was named).
  const std::string& path() const { return path_; }
  /// Who logs in (ssh); empty: whom OpenSSH takes.
  const std::string& user() const { return user_; }
  const std::string& host() const { return host_; }
  /// 0 where ssh names none.
  std::uint16_t port() const { return port_; }
  /// The machine that is logged in to (ssh).
  SshHop hop() const { return {user_, host_, port_}; }
  /// As it was written, for people.
  std::string text() const;
  /// What goes into the Host header.
  std::string host_header() const;

 private:
  static Result<Endpoint> parse_ssh(std::string_view text);

  Scheme scheme_ = Scheme::unix_socket;
  std::string path_;
  std::string user_;
  std::string host_;
  std::uint16_t port_ = 0;
};

/// Dials `endpoint`, at most 10 s. What `tls` says holds for a tls endpoint, which takes at most 10
/// s more; without it the system's authorities are trusted. Throws Failure as tls_connect, or with
/// code `socket_missing` (no such file), `socket_permission` (EACCES), `not_a_socket` (a file or a
/// folder), `not_listening` (refused), `name_unknown`, `unreachable` (any other way to fail): the
/// causes people must tell apart. Ways over ssh are SshTunnel's: for them it throws `needs_tunnel`.
Connect dialer(async::Executor executor, Endpoint endpoint, std::optional<TlsClient> tls = {});

}  // namespace gantry::net
