#pragma once

#include "base/clock.hpp"
#include "net/ssh_settings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What OpenSSH is told: a configuration of our own for each connection, and arguments in which
/// nobody's text stands but plain names that SshHop::parse and Endpoint::parse let pass.
namespace gantry::net {

/// One machine of a way.
struct SshMachine {
  SshHop hop;
  std::string known_as;              ///< Its name in known_hosts.
  std::vector<std::string> options;  ///< Further lines of its block, from the user's configuration.
};
/// From here to there: jump hosts, and the host itself at the end.
using SshWay = std::vector<SshMachine>;

/// The name of a machine in known_hosts: in small letters, with its port where that is not 22.
std::string ssh_known_name(const SshHop& hop);
/// The way that the settings name, without anybody's configuration.
SshWay plain_ssh_way(const SshHop& host, const SshSettings& settings);

/// How the last machine of a way is asked for its host key only: nothing is shown to it.
struct SshScan {
  std::string known_hosts;  ///< Where its key is compared, or written to.
  enum class Key : std::uint8_t { compared, recorded } key = Key::compared;
  std::string type;  ///< The one type of key it is asked for; empty: OpenSSH's choice.
};

/// The files a configuration names.
struct SshConfigFiles {
  std::string known_hosts;
  std::string identity;     ///< Empty: OpenSSH's usual ones.
  std::string certificate;  ///< Empty: none.
  std::string agent;        ///< The agent's socket; empty: none is asked.
};

/// Whether somebody answers when OpenSSH asks for a passphrase or a password.
enum class SshAnswers : std::uint8_t { none, given };

/// The text of a configuration for one way. Its last machine is called ssh_host_alias.
std::string ssh_config(const SshWay& way, const SshConfigFiles& files, SshAnswers answers,
                       Seconds alive_interval, const std::optional<SshScan>& scan = {});

/// What the host is called in our configurations: nothing that could be an option or a name.
inline constexpr std::string_view ssh_host_alias = "gantry-host";

/// `ssh -F config … -- gantry-host`: forwards `local`, a socket of ours, to the socket `remote`.
std::vector<std::string> ssh_forward_arguments(const std::string& config, const std::string& local,
                                               const std::string& remote);
/// Runs `command` there, on standard input and output.
std::vector<std::string> ssh_command_arguments(const std::string& config,
                                               const std::string& command);
/// Connects and does nothing.
std::vector<std::string> ssh_idle_arguments(const std::string& config);

/// The socket of the far engine: what the endpoint names, or Docker's usual one.
std::string ssh_remote_socket(const std::string& path);
/// The command that speaks the Engine API on its standard input and output there.
std::string ssh_stdio_command(const std::string& path);
/// A text for `sh` that tells what is there of the socket and of Docker. The path is a plain one
/// (Endpoint::parse).
std::string ssh_look_script(const std::string& path);

}  // namespace gantry::net
