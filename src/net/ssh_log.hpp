#pragma once

#include "async/process.hpp"
#include "base/error.hpp"
#include "net/ssh_tunnel.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::net {

/// Reads what OpenSSH says at LogLevel DEBUG1 while it connects, line by line, and tells how far it
/// has come and what went wrong. Does no I/O.
///
/// With jump hosts the processes of all machines write into one log, but one after the other: a
/// machine is spoken to only after the one before it has let us in. What a machine may say to
/// people (its banner) stands there as well. So these lines decide what people are told, never
/// whom is trusted: that does OpenSSH, and `trust` compares keys itself.
class SshLog {
 public:
  enum class Stage : std::uint8_t {
    resolve,
    connect,
    host_key,
    authenticate,
    forward,  ///< Logged in; the forwarding, or the command, is on its way.
    ready,    ///< The forwarding's socket listens.
  };

  /// `machines`: of the way, as people know them, the host last.
  explicit SshLog(std::vector<std::string> machines) : machines_{std::move(machines)} {}

  /// The next line, without its end.
  void line(std::string_view line);

  /// What is being done now,
  Stage stage() const { return stage_; }
  /// and at which machine of the way.
  std::size_t machine() const { return machine_; }
  bool at_last_machine() const { return machine_ + 1 == machines_.size(); }
  /// Whether the host has come at least so far.
  bool reached(Stage stage) const { return at_last_machine() && stage_ >= stage; }

  /// `127.0.0.1 port 22`: of the first machine.
  const std::string& address() const { return address_; }
  /// The host key that the machine showed; its name is empty.
  const std::optional<SshHostKey>& key() const { return key_; }
  /// `publickey`: how the last machine that did so let us in.
  const std::string& method() const { return method_; }
  /// How many streams were refused after the way was ready.
  std::size_t refused_streams() const { return refused_streams_; }
  /// The last lines that are no debugging, for people.
  std::string last_lines() const;

  /// What went wrong, if that was said.
  const std::optional<Error>& error() const { return error_; }
  /// What went wrong, now that the process has ended.
  Error why_ended(async::ExitStatus status) const;

 private:
  void step(std::string_view line);
  void look_for_error(std::string_view line);
  void fail_with(ErrorKind kind, std::string code, std::string_view cause, std::string remedy);
  Error at_machine(ErrorKind kind, std::string code, std::string_view cause,
                   std::string remedy) const;

  std::vector<std::string> machines_;
  std::size_t machine_ = 0;
  Stage stage_ = Stage::resolve;
  std::string address_;
  std::optional<SshHostKey> key_;
  std::string method_;
  std::string identity_trouble_;
  bool key_accepted_ = false;
  std::size_t refused_streams_ = 0;
  std::vector<std::string> lines_;
  std::optional<Error> error_;
};

}  // namespace gantry::net
