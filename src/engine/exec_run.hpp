#pragma once

#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "engine/exec.hpp"
#include "engine/exec_end.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Running one command in a container to its end.
namespace gantry::engine {

/// What a command may cost.
struct ExecBounds {
  Milliseconds time_max{60'000};
  /// Of each output; what comes after it is read and dropped, so that the command goes on.
  Bytes output_max{1U << 20U};
};

/// One of a command's outputs.
struct CapturedOutput {
  std::string bytes;
  bool truncated = false;
};

/// How a command ended.
struct ExecResult {
  /// Absent when it ran out of time and nobody knows how it ended.
  std::optional<std::int64_t> exit_code;
  CapturedOutput out;
  CapturedOutput err;
  bool timed_out = false;
  /// What became of it after its time.
  ExecEnd end;
  Milliseconds took{};
};

/// An engine up to 20.10 starts the conversation before it starts the command, and says in it why
/// it could not: what `output` and the exit code tell of that; nothing when it was started.
std::optional<Error> start_refusal(std::int64_t exit_code, std::string_view output,
                                   const std::string& container);

/// Runs `spec` (without a terminal) with `input` as its standard input, and waits for its end. Out
/// of time, when the caller is cancelled or the engine breaks off, be it while it starts, the
/// process and its session are killed from within (exec_end.hpp). Refused in the engine's words,
/// and with `exec_not_started` (invalid) when the command can not be started: no such program, user
/// or folder.
async::task<Result<ExecResult>> run_exec(Client& client, std::string container, ExecSpec spec,
                                         std::string input, ExecBounds bounds,
                                         const Ender* ender = nullptr);

/// The first of bash, ash and sh that the container has; nothing when it has none. Refused as
/// run_exec is for anything else: no such user, a container that does not run.
async::task<Result<std::optional<std::string>>> find_shell(Client& client, std::string container,
                                                           std::string user,
                                                           std::string working_dir);

}  // namespace gantry::engine
