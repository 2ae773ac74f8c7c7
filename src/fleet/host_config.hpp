#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "base/secret.hpp"
#include "net/endpoint.hpp"
#include "net/ssh_settings.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::fleet {

using HostId = Id<struct HostTag>;

/// Whether somebody may send a host's engine everything in clear text over a network.
enum class ClearText : std::uint8_t { refused, allowed };
/// Whether a host is used at all.
enum class Standing : std::uint8_t { enabled, disabled };
/// Where a host came from: of the one that `--engine` names the endpoint follows that option.
enum class Origin : std::uint8_t { added, engine_option };

/// What TLS needs at a host whose endpoint is `tls://…`: texts in PEM, empty where there is none.
struct HostTls {
  std::string authorities;
  std::string certificate;
  Secret key;
};

/// A host as it is known by name, without what is secret about it.
struct HostConfig {
  HostId id;
  std::string name;  ///< `[a-z0-9][a-z0-9_.-]{0,62}`, of one host at a time
  net::Endpoint endpoint;
  std::map<std::string, std::string> labels;
  std::vector<std::string> groups;  ///< In the order of their names.
  std::string note;
  enum class Usual : std::uint8_t { no, yes } usual = Usual::no;  ///< Whether it is the default.
  Standing standing = Standing::enabled;
  ClearText clear_text = ClearText::refused;
  Origin origin = Origin::added;
  WallTime created_at;
  WallTime updated_at;

  bool enabled() const { return standing == Standing::enabled; }
  bool follows_option() const { return origin == Origin::engine_option; }
};

/// How a host is reached, secrets included.
struct HostReach {
  net::Endpoint endpoint;
  HostTls tls;
  net::SshSettings ssh;
  /// Why what is secret about it can not be used; then it is not reached.
  std::optional<Error> unusable = {};
};

/// Whether `text` can be a host's name.
bool valid_host_name(std::string_view text);
/// Whether what is said there can be heard and forged: plain tcp to anything but this machine.
bool travels_in_clear(const net::Endpoint& endpoint);

}  // namespace gantry::fleet
