#include "net/endpoint.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

namespace gantry::net {
namespace {

constexpr std::string_view forms =
    "use unix:///path/to/socket, tcp://host:port, tls://host:port or ssh://user@host:port";
constexpr std::size_t unix_path_max = 107;  // sockaddr_un::sun_path without its NUL
constexpr std::uint16_t docker_port = 2375;
constexpr std::uint16_t docker_tls_port = 2376;

std::unexpected<Error> refused(std::string_view text, std::string_view cause) {
  return fail(ErrorKind::invalid, "bad_endpoint",
              fmt::format("cannot use endpoint '{}': {}", text, cause), std::string{forms});
}

bool is_host_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
}

bool is_path_character(char c) { return is_host_character(c) || c == '/' || c == '+' || c == '@'; }

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, is_host_character);
}

bool is_ipv6(std::string_view host) {
  auto allowed = [](char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
  };
  return host.size() >= 2 && host.size() <= 45 && std::ranges::all_of(host, allowed);
}

bool is_control(char c) { return (c >= '\0' && c < ' ') || c == '\x7f'; }

bool parse_port(std::string_view text, std::uint16_t& port) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
  Endpoint endpoint;
  if (text.starts_with("unix://")) {
    auto path = text.substr(7);
    if (!path.starts_with('/')) return refused(text, "the socket's path is not absolute");
    if (path.size() > unix_path_max) return refused(text, "the path is longer than 107 bytes");
    if (std::ranges::any_of(path, is_control)) {
      return refused(text, "the path holds a control character");
    }
    endpoint.path_ = path;
    return endpoint;
  }
  if (text.starts_with("ssh://")) return parse_ssh(text);
  bool tls = text.starts_with("tls://");
  if (!tls && !text.starts_with("tcp://")) {
    return refused(text, "the scheme is not one of unix, tcp, tls, ssh");
  }
  endpoint.scheme_ = tls ? Scheme::tls : Scheme::tcp;
  endpoint.port_ = tls ? docker_tls_port : docker_port;
  auto rest = text.substr(6);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.starts_with('[')) {
    auto close = rest.find(']');
    if (close == rest.npos || !is_ipv6(rest.substr(1, close - 1))) {
      return refused(text, "the address in brackets is not IPv6");
    }
    endpoint.host_ = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
  } else {
    auto end = std::min(rest.find(':'), rest.size());
    if (!is_host(rest.substr(0, end))) return refused(text, "the host's name is malformed");
    endpoint.host_ = rest.substr(0, end);
    rest.remove_prefix(end);
  }
  if (!rest.empty() && (rest.front() != ':' || !parse_port(rest.substr(1), endpoint.port_))) {
    return refused(text, "the port is not a number from 1 to 65535");
  }
  return endpoint;
}

Result<Endpoint> Endpoint::parse_ssh(std::string_view text) {
  auto rest = text.substr(std::string_view{"ssh://"}.size());
  auto slash = std::min(rest.find('/'), rest.size());
  auto hop = SshHop::parse(rest.substr(0, slash));
  if (!hop) return fail(hop.error());
  auto path = rest.substr(slash);
  if (path == "/") path = {};
  if (path.size() > unix_path_max) return refused(text, "the path is longer than 107 bytes");
  if (!std::ranges::all_of(path, is_path_character)) {
    return refused(text, "the socket's path holds something else than letters, digits and /._-+@");
  }
  Endpoint endpoint;
  endpoint.scheme_ = Scheme::ssh;
  endpoint.path_ = path;
  endpoint.user_ = std::move(hop->user);
  endpoint.host_ = std::move(hop->host);
  endpoint.port_ = hop->port;
  return endpoint;
}

std::string Endpoint::text() const {
  if (scheme_ == Scheme::unix_socket) return "unix://" + path_;
  if (scheme_ == Scheme::ssh) return fmt::format("ssh://{}{}", hop().text(), path_);
  return fmt::format("{}://{}", scheme_ == Scheme::tls ? "tls" : "tcp", host_header());
}

std::string Endpoint::host_header() const {
  if (scheme_ == Scheme::unix_socket || scheme_ == Scheme::ssh) return "localhost";
  bool ipv6 = host_.find(':') != host_.npos;
  return ipv6 ? fmt::format("[{}]:{}", host_, port_) : fmt::format("{}:{}", host_, port_);
}

}  // namespace gantry::net
