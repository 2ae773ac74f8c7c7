#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "net/endpoint.hpp"
#include "net/ssh_settings.hpp"
#include "net/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::net {

/// A host key as people compare it.
struct SshHostKey {
  std::string name;         ///< Of the machine in known_hosts: `edge-3`, `[10.0.0.7]:2222`.
  std::string type;         ///< `ssh-ed25519`
  std::string fingerprint;  ///< `SHA256:…`, as `ssh-keygen -l` prints it.
  bool operator==(const SshHostKey&) const = default;
};

/// By which way streams go.
enum class SshVia : std::uint8_t {
  forward,     ///< Through one connection that forwards a socket.
  dial_stdio,  ///< Each by a connection of its own that runs `docker system dial-stdio` there.
};
/// `forward`, `dial-stdio`.
std::string_view word_of(SshVia via);

/// One step of a way to a host.
struct SshStep {
  enum class State : std::uint8_t { ok, failed, skipped };

  std::string step;  ///< resolve, connect, host_key, authenticate, forward
  State state = State::skipped;
  std::string detail;
  std::string code;               ///< Of the error, where it failed.
  std::string remedy;             ///< The same.
  std::optional<SshHostKey> key;  ///< host_key: the one that is trusted, or that was offered.
  Milliseconds took{0};
};

/// What a try of the whole way found: always the five steps, in their order.
struct SshReport {
  std::vector<SshStep> steps;
  std::optional<SshVia> via;   ///< Where all went well.
  std::optional<Error> error;  ///< Where one failed.
};

/// How a tunnel paces itself.
struct SshPace {
  Milliseconds first_retry{500};
  Milliseconds longest_retry{30'000};
  /// How long one try of the whole way may take, jump hosts included.
  Milliseconds patience{30'000};
  /// How often a silent peer is asked whether it lives; three silences end the connection.
  Seconds alive_interval{15};
  std::size_t forward_streams_max = 256;
  std::size_t stdio_streams_max = 32;
};

/// The way to one host over OpenSSH (child processes; docs/ssh.md): one long-lived connection that
/// forwards a private socket to the host's Docker socket, made when it is needed and made again,
/// with growing pauses, when it breaks. Where the far side forwards no sockets, one `docker system
/// dial-stdio` for each stream.
///
/// Errors (kind unavailable where nothing else is said):
///   ssh_missing                 no OpenSSH client here
///   ssh_name_unknown            nobody knows the host's name
///   ssh_refused, ssh_unreachable, ssh_timed_out   no connection to its port
///   ssh_no_agreement            no common algorithm, or no SSH server at all
///   ssh_host_key_unknown        (denied) its fingerprint is in the message and in `offered`
///   ssh_host_key_changed        (denied) nothing is tried again until `trust` or `retry`
///   ssh_authentication_failed   (unauthenticated)
///   ssh_identity_unusable       (invalid) the key can not be read, or its passphrase is wrong
///   ssh_agent_not_allowed, ssh_config_not_allowed (denied)
///   ssh_forwarding_refused      neither sockets are forwarded nor programs run
///   ssh_commands_refused        (denied, of `run`) no programs run, or one that was fixed there
///   ssh_remote_socket_permission, ssh_remote_socket_missing, ssh_remote_engine_down
///   ssh_remote_docker_missing   no forwarding, and no `docker` in PATH for dial-stdio
///   ssh_too_many_streams        (exhausted)
///   ssh_too_many_runs           (exhausted, of `run`)
///   ssh_output_too_large        (too_large, of `run`)
///   ssh_broke                   it broke off, with OpenSSH's own last words
/// Belongs to the event loop.
class SshTunnel {
 public:
  /// `endpoint` is of scheme ssh. Nothing is started yet.
  SshTunnel(async::Executor executor, Endpoint endpoint, SshSettings settings, SshPlaces places,
            SshPace pace = {});
  SshTunnel(const SshTunnel&) = delete;
  SshTunnel& operator=(const SshTunnel&) = delete;
  /// After `close`.
  ~SshTunnel();

  /// A stream to the host's Docker socket. Waits while the way is being made, at most
  /// SshPace::patience; fails at once while it rests between two tries, with why the last one
  /// failed. Throws Failure.
  async::task<std::unique_ptr<Stream>> connect();
  /// The same as a value; the tunnel must outlive it.
  Connect connector();

  /// The way that is in use; nothing while there is none.
  std::optional<SshVia> via() const;
  /// Why there is none, once that is known.
  std::optional<Error> error() const;
  /// The host key that stands in the way (ssh_host_key_unknown, ssh_host_key_changed).
  std::optional<SshHostKey> offered() const;

  /// Runs a text of ours by `sh` on the far machine, as the user who logs in, by a connection of
  /// its own, and answers what it printed: at most 64 KiB, within SshPace::patience. The text
  /// comes on the standard input, so that no shell of that account's has to understand it; what
  /// it runs has nothing to read, and what it prints as errors is dropped. No login is tried where
  /// `connect` tries none until somebody has done something. The tunnel must outlive it.
  async::task<Result<std::string>> run(std::string script);
  /// Tries the whole way anew beside what is in use, and tells each step.
  async::task<SshReport> probe();
  /// Asks the first machine of the way whose key is not trusted for its key again, and trusts it
  /// if it is the one with this fingerprint (`SHA256:…`), in the place of all that were trusted
  /// under its name. Refuses: `ssh_fingerprint_differs` (conflict), `ssh_nothing_to_trust`
  /// (conflict), `bad_fingerprint` (invalid), or why the way breaks off before it.
  async::task<Result<SshHostKey>> trust(std::string fingerprint);
  /// Forgets why the last try failed: the next `connect` tries at once.
  void retry();
  /// The same where it only rests until its next try by itself; never logs in where a login was
  /// refused.
  void wake();
  /// Ends every stream and every child process; nothing may be asked of it afterwards.
  async::task<void> close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gantry::net
