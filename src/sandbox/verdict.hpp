#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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

/// What is known of an execution once it has ended.
struct Outcome {
  Verdict verdict = Verdict::infrastructure_error;
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string message;       ///< For people; empty when there is nothing to add.
  std::string served_image;  ///< The image that ran it; empty when none did.
  bool warm = false;
  Microseconds wall_time{0};  ///< From the program's start to its end.
  Microseconds cpu_time{0};   ///< Of all its processes.
  std::uint64_t memory_peak_bytes = 0;
};

/// `SIGKILL` for 9; `signal 70` for what has no name.
std::string signal_name(int signal);

}  // namespace gantry::sandbox
