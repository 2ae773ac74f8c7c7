#pragma once

#include "async/task.hpp"
#include "base/error.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gantry::async {

/// What to start: by argv, never by a shell.
struct ProcessSpec {
  std::vector<std::string> argv;      ///< argv[0] is looked up in PATH.
  std::vector<std::string> env;       ///< `NAME=value`; the whole environment of the child.
  std::vector<int> descriptors = {};  ///< The child has copies of these as 3, 4, …
  /// What the child has as its standard input and output; -1: nothing to read, and its output on
  /// the pipe of its errors.
  int input_output = -1;
};

/// How a child ended: an exit code, or the signal that killed it.
struct ExitStatus {
  int code = 0;
  int signal = 0;
  bool success() const { return code == 0 && signal == 0; }
};

/// A child process with its standard output and error on one pipe and no standard input, unless
/// ProcessSpec::input_output says otherwise.
/// Killed and reaped when destroyed while running.
class Process {
 public:
  /// Refuses (not_found) a program that can not be started.
  static Result<Process> start(const Executor& executor, const ProcessSpec& spec);
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();

  int pid() const;
  /// Waits for output; 0 at its end.
  task<std::size_t> read_some(std::span<char> into);
  task<ExitStatus> wait();
  void kill(int signal);

 private:
  struct Impl;
  explicit Process(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Runs to the end and keeps the last `output_max` bytes of what it said.
struct ProcessOutcome {
  ExitStatus status;
  std::string output;
};
task<Result<ProcessOutcome>> run_process(ProcessSpec spec, std::size_t output_max);

}  // namespace gantry::async
