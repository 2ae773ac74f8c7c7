#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::net {

/// One machine that is logged in to: `[user@]host[:port]`.
struct SshHop {
  std::string user;        ///< Empty: whom OpenSSH takes.
  std::string host;        ///< A name, an address, or an alias of the user's own configuration.
  std::uint16_t port = 0;  ///< 0: OpenSSH's choice (22, or what the configuration says).

  /// Refuses whatever OpenSSH or a shell could take for more than a name: users and hosts begin
  /// with a letter, a digit or `_` and hold letters, digits, `.`, `_` and `-` only; IPv6 stands in
  /// brackets. `bad_endpoint`.
  static Result<SshHop> parse(std::string_view text);
  /// As it was written.
  std::string text() const;
  bool operator==(const SshHop&) const = default;
};

/// How many machines may lie between us and a host.
inline constexpr std::size_t ssh_jumps_max = 8;

/// How a host is logged in to. One identity and one password for the host and for every jump host
/// on the way: each of them is shown only to machines whose host keys are trusted.
struct SshSettings {
  /// Whether the SSH agent of the account that Gantry runs under is asked.
  enum class Agent : std::uint8_t { ignored, used };
  /// Whether that account's own OpenSSH configuration says how names are reached.
  enum class UserConfig : std::uint8_t { ignored, read };

  std::vector<SshHop> jumps;  ///< From here to there, at most ssh_jumps_max.
  Secret identity;            ///< A private key in OpenSSH's or PEM form.
  std::string identity_file;  ///< Or the absolute path of one.
  Secret passphrase;          ///< What opens the identity.
  Secret password;
  std::string certificate;  ///< An OpenSSH certificate of the identity: `ssh-…-cert-v01@… AAAA…`.
  Agent agent = Agent::ignored;
  UserConfig config = UserConfig::ignored;

  /// `user@host:port` texts, each parsed as a hop; at most ssh_jumps_max. `bad_endpoint`.
  static Result<std::vector<SshHop>> parse_jumps(const std::vector<std::string>& texts);
  /// Refuses with `bad_ssh_settings` what can not work: something that is not a private key,
  /// a certificate of more than one line, a passphrase with a line break.
  Result<> check() const;
};

/// What is the same for every host of this server.
struct SshPlaces {
  /// The file of host keys that Gantry owns; made when the first key is trusted. Its folder must
  /// exist and be this user's.
  std::string known_hosts;
  /// An existing folder in which every connection makes its own folder of mode 0700 (sockets, keys
  /// while they are needed). At most 40 bytes of letters, digits, `/`, `.`, `_` and `-`: its name
  /// passes a shell of OpenSSH's, and sockets have short names.
  std::string runtime = "/tmp";
  /// The program that answers OpenSSH's questions, by net::answer_ssh_question; empty: the one that
  /// runs.
  std::string askpass = {};
  /// The socket of the agent that hosts may use (SSH_AUTH_SOCK); empty: its owner does not allow.
  std::string agent_socket = {};
  /// The OpenSSH configuration that hosts may use; empty: its owner does not allow.
  std::string user_config = {};
  /// OpenSSH's client, looked up in PATH unless it is a path.
  std::string ssh = "ssh";
};

}  // namespace gantry::net
