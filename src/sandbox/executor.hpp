#pragma once

#include "async/channel.hpp"
#include "async/task.hpp"
#include "base/id.hpp"
#include "sandbox/image_rules.hpp"
#include "sandbox/policy.hpp"
#include "sandbox/program.hpp"
#include "sandbox/verdict.hpp"
#include "sandbox/workspace.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::sandbox {

using ExecutionId = Id<struct ExecutionTag>;

enum class OutputStream { standard_output, standard_error };

enum class Stage { compile, run };

/// Which executor may serve: `automatic` prefers the engine's containers.
enum class ExecutorChoice { automatic, docker, local };

/// What somebody at a terminal does to a running program.
struct Keystrokes {
  enum class Kind { bytes, end_of_input, signal, resize } kind;
  std::string bytes;
  int signal = 0;
  int rows = 0;
  int columns = 0;
};
using Keyboard = async::Channel<Keystrokes>;

/// A window of characters that a program writes to.
struct Terminal {
  int rows = 24;
  int columns = 80;
};

/// One run of a program, as an executor is asked for it.
struct Execution {
  ExecutionId id;
  Program program;
  Policy policy;
  ExecutorChoice executor = ExecutorChoice::automatic;
  Logins logins = Logins::stored;  ///< For its image.
  /// Where its standard input goes on after `program.input`; without it that is all there is.
  std::shared_ptr<Keyboard> keyboard = {};
  /// With it the program has a terminal instead of three pipes; all it writes is its output.
  std::optional<Terminal> terminal = {};
  /// With Filesystem::workspace: what lies in /box/workspace. The Outcome has it back.
  std::optional<Workspace> workspace = {};
};

/// Who watches an execution. Called on the loop, in order, never after `execute` has ended.
struct Observer {
  /// What is being prepared, for people ("pulling alpine:latest: 3 of 5 layers").
  std::function<void(std::string)> progress;
  /// Which image serves. May be empty.
  std::function<void(std::string)> serving;
  /// A stage runs now; what comes out next is its output.
  std::function<void(Stage)> started;
  std::function<void(OutputStream, std::string_view)> output;
};

/// Where untrusted programs run, and the only place: the docker executor, later the local one.
/// Every implementation passes the conformance suite.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Runs one program in surroundings that nobody used before and nobody will use again.
  /// Answers when it has ended and nothing of it runs any more; what it had is removed by then or
  /// soon after. Failures of ours are an Outcome with Verdict::infrastructure_error. Cancelling the
  /// coroutine ends the program.
  virtual async::task<Outcome> execute(Execution execution, Observer observer) = 0;

  /// Removes what a crash left behind; runs until cancelled.
  virtual async::task<void> maintain() = 0;
};

}  // namespace gantry::sandbox
