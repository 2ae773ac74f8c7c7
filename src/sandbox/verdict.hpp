#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gantry::sandbox {

/// How an execution ended. Exactly one per execution.
enum class Verdict {
  ok,               ///< Exit code 0.
  failed,           ///< Another exit code.
  signalled,        ///< Killed by a signal that was not ours.
  timed_out,        ///< Over its wall time.
  cpu_exceeded,     ///< Over its CPU time.
  memory_exceeded,  ///< The kernel killed some of it for memory, whatever it exited with.
  output_exceeded,  ///< Said more than allowed.
  cancelled,
  infrastructure_error,  ///< Not the program's doing: `message` says whose.
};

/// The word of the API: `timed_out`.
std::string_view word(Verdict verdict);
std::optional<Verdict> verdict_from(std::string_view word);

/// How one stage of an execution ended: the compilation or the program itself.
struct StageOutcome {
  Verdict verdict = Verdict::infrastructure_error;
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string message;          ///< For people; empty when there is nothing to add.
  std::string error_code = {};  ///< For programs, with infrastructure_error: that of its Error.
  Microseconds wall_time{0};    ///< From the stage's start to its end.
  Microseconds cpu_time{0};     ///< Of all its processes.
  std::uint64_t memory_peak_bytes = 0;
  bool output_truncated = false;  ///< Standard output was longer than what was passed on;
  bool errors_truncated = false;  ///< standard error was.
};

/// A file that the program left in /box/out.
struct Artifact {
  std::string path;  ///< Relative to /box/out; checked like the path of any file.
  std::string content;
};

/// What is known of an execution once it has ended. What it says as a StageOutcome is of the
/// program, or of the compilation when that failed.
struct Outcome : StageOutcome {
  Outcome() = default;
  Outcome(StageOutcome ended) : StageOutcome{std::move(ended)} {}

  std::optional<StageOutcome> compile;
  std::string served_image;  ///< The image that ran it; empty when none did.
  std::string executor;      ///< `docker` or `local`.
  bool warm = false;         ///< Its surroundings were waiting for it.
  std::vector<Artifact> artifacts;
  /// What the program left in its workspace, packed. Only of one that ended by itself (ok, failed,
  /// signalled) and whose workspace is within its limits: otherwise the old one stays.
  std::optional<std::string> workspace;
};

/// `SIGKILL` for 9; `signal 70` for what has no name.
std::string signal_name(int signal);

}  // namespace gantry::sandbox
