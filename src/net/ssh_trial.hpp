#pragma once

#include "async/task.hpp"
#include "net/ssh_run.hpp"
#include "net/ssh_tunnel.hpp"

#include <string>

/// Trying whether streams come through, and finding out why they do not.
namespace gantry::net {

/// One way to a host as it is used or tried: its room, and the configuration that lies in it.
struct SshCurrent {
  SshCurrent(const SshSettings& settings, const SshPlaces& places, SshWay found,
             const SshPace& pace, std::string far_path);

  /// The name of our end of the forwarding.
  std::string socket() const { return room.file("s"); }
  std::string config() const { return room.file("config"); }
  /// What starts OpenSSH with these arguments.
  SshStart start(std::vector<std::string> arguments, int input_output = -1) {
    return {room, settings, places, way, std::move(arguments), input_output};
  }
  SshStart start_forward() {
    return start(ssh_forward_arguments(config(), socket(), ssh_remote_socket(path)));
  }
  SshStart start_stdio(int input_output) {
    return start(ssh_command_arguments(config(), ssh_stdio_command(path)), input_output);
  }

  const SshSettings& settings;
  const SshPlaces& places;
  SshWay way;
  SshRoom room;
  std::string path;  ///< Of the far socket; empty: Docker's usual one.
  Milliseconds patience;
};

/// Connects to a Unix socket. Throws.
async::task<std::unique_ptr<Stream>> dial_socket(std::string path);

/// Whether an HTTP request sent to `local` is answered by even one byte. A silent server counts
/// as answering: its stream was not refused.
async::task<bool> answers_http(std::unique_ptr<Stream> stream);

/// A stream through the forwarding was refused: OpenSSH's protocol does not say why, so the far
/// side is looked at by a command. Returns when `docker system dial-stdio` works instead; throws
/// Failure with the reason when it does not either.
async::task<void> fall_back_to_stdio(SshCurrent& current);

/// Waits until the forwarding of `run` stands, and tries it: whether streams come through. To be
/// raced with `run.follow()`. Throws Failure.
async::task<bool> forwards(SshRun& run, SshCurrent& current);
/// `unknown` becomes `changed` where other keys are trusted under that name.
Error refined_ssh_error(Error error, const SshLog& log, const SshCurrent& current);

}  // namespace gantry::net
