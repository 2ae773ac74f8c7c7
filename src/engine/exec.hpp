#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "engine/streams.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::engine {

/// How large a terminal is, in characters.
struct TerminalSize {
  std::uint16_t columns = 80;
  std::uint16_t rows = 24;
  bool operator==(const TerminalSize&) const = default;
};

/// A further process in a running container, never a privileged one. There is no way to kill it
/// through the API: whoever needs an end to it kills it from within (exec_end.hpp) or removes the
/// container.
struct ExecSpec {
  std::vector<std::string> command;
  std::vector<std::string> env;
  std::string user;
  std::string working_dir;
  bool attach_stdin = false;
  bool tty = false;
  /// With a tty; engines from API 1.42 on begin with it, others want resize_exec.
  TerminalSize size = {};
};

struct ExecState {
  bool running = false;
  std::int64_t exit_code = 0;
  std::int64_t pid = 0;
};

/// Answers the exec's id.
async::task<Result<std::string>> create_exec(Client& client, std::string container,
                                             const ExecSpec& spec);
/// `framing` is raw when the spec had a tty.
async::task<Result<AttachedStream>> start_exec(Client& client, std::string exec, Framing framing);
async::task<Result<ExecState>> inspect_exec(Client& client, std::string exec);
/// Whether an engine's words say that it could not start the process: no such program, user or
/// folder. Up to 20.10 they stand in the conversation, later ones refuse the start with them.
bool tells_of_a_failed_start(std::string_view words);
/// Refused while the engine has not started the process yet.
async::task<Result<>> resize_exec(Client& client, std::string exec, TerminalSize size);

}  // namespace gantry::engine
