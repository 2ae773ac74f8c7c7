#pragma once

#include <cstdint>
#include <string>

#include <sys/types.h>

namespace gantry {

/// A machine beyond this one, as far as programs can tell: a process in a network namespace of its
/// own, behind a pair of interfaces with addresses of the range for documentation. It serves HTTP
/// on port 80 with `hello from outside`, and answers every DNS query for IPv4 with itself. Gone
/// with the object.
class Outside {
 public:
  static constexpr const char* address = "203.0.113.10";
  static constexpr const char* host_address = "203.0.113.1";  ///< This machine's, on its side.

  /// Whether this process may make one; else the reason why not.
  static std::string missing();

  Outside();
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;
  ~Outside();

 private:
  std::string link_;
  pid_t process_ = -1;
};

/// A port of this machine on which somebody listens, on all its addresses of both families.
class Listener {
 public:
  Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();
  std::uint16_t port() const { return port_; }

 private:
  int socket_ = -1;
  std::uint16_t port_ = 0;
};

/// Whether this machine gets through to that address within half a second.
bool host_reaches(const std::string& address, std::uint16_t port);

}  // namespace gantry
