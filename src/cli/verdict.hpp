#pragma once

#include "base/error.hpp"
#include "base/json.hpp"

#include <string>

namespace gantry::cli {

/// How an execution ended, for a shell.
struct Ending {
  int exit_code = 0;
  /// One line for standard error; empty when the program's own exit code says it all.
  std::string line;
};

/// Reads an Execution of the API. Exit codes: the program's own; 128+N for signal N; 124 out of
/// time (as timeout(1)); 137, 152 and 153 out of memory, CPU time and output (what a shell shows
/// for SIGKILL, SIGXCPU and SIGXFSZ); 130 cancelled; 125 when it is not the program's doing.
Result<Ending> ending_of(const json::Value& execution);

}  // namespace gantry::cli
