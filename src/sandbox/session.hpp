#pragma once

#include "async/race.hpp"
#include "async/task.hpp"
#include "engine/streams.hpp"
#include "sandbox/executor.hpp"
#include "sandbox/init_protocol.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gantry::sandbox {

/// What came of talking to gantry-init.
struct Conversation {
  std::optional<Outcome> outcome;       ///< Absent: the sandbox ended without a verdict.
  std::optional<StageOutcome> compile;  ///< Of a compilation that ended.
  std::string complaint;                ///< What gantry-init itself had to say.
};

/// The talk with one gantry-init. What it says is attacker data: caps are counted here once more,
/// and nothing that it says takes more memory than they allow. One coroutine at a time.
class InitSession {
 public:
  explicit InitSession(engine::AttachedStream stream) : stream_{std::move(stream)} {}
  InitSession(const InitSession&) = delete;
  InitSession& operator=(const InitSession&) = delete;

  /// Waits until gantry-init is up and, with `boot`, until its interpreter waits. Not needed before
  /// `run`. Fails (sandbox_not_ready) with what it said; the deadline is the caller's.
  async::task<Result<>> prepare(std::optional<init::Boot> boot = {});

  /// Returns when a prepared sandbox can not be used any more, with the reason. A caller that wants
  /// to use it cancels this first.
  async::task<std::string> watch();

  /// Sends the program, passes its output on, and returns with its verdict. `image_env` are the
  /// image's variables. Start::waiting gives the prepared interpreter to the program; what can not
  /// have it (a compilation, a terminal, a working directory, another file size limit) starts
  /// fresh all the same, and the interpreter is ended.
  async::task<Conversation> run(const Execution& execution,
                                const std::vector<std::string>& image_env, const Observer& observer,
                                init::Start start = init::Start::fresh);

 private:
  class Listener;

  async::task<bool> hear();
  std::optional<init::Frame> next_frame();
  void complain(std::string_view words);
  async::task<void> listen(Listener& listener);
  async::task<void> listen_and_be_heard(Listener& listener, async::StopSignal& spoken);
  async::task<void> speak_compilation(std::string words, async::StopSignal& spoken);
  async::task<void> speak(const Execution& execution, std::string words);
  async::task<std::optional<StageOutcome>> compile(const Execution& execution,
                                                   const std::vector<std::string>& image_env,
                                                   const Observer& observer);

  engine::AttachedStream stream_;
  init::FrameReader reader_;
  std::string complaint_;
  bool broken_ = false;  // what comes is no longer worth reading
  std::optional<Bytes> interpreter_file_;
};

/// How a stage ended, by its report and the limits it ran under.
StageOutcome outcome_of(const init::Report& report, const Policy& policy);

}  // namespace gantry::sandbox
