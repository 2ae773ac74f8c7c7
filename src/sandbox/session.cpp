#include "sandbox/session.hpp"

#include "async/race.hpp"
#include "base/text.hpp"

#include <utility>

#include <fmt/format.h>
#include <signal.h>

namespace gantry::sandbox {
namespace {

constexpr std::size_t complaint_max = 4096;

/// Reads frames until the verdict. The container can send what it likes: the output caps are
/// counted here once more, because gantry-init runs where the attacker does.
class Listener {
 public:
  Listener(const Policy& policy, const Observer& observer)
      : observer_{observer}, room_{policy.output.count, policy.output.count} {}

  async::task<void> listen(engine::AttachedStream& stream) {
    while (!done_) {
      auto frame = co_await stream.read();
      if (!frame) co_return;
      if (frame->output == engine::Output::err) {
        complain(frame->bytes);
        continue;
      }
      reader_.feed(frame->bytes);
      take_frames();
    }
  }

  Conversation conversation() && { return std::move(conversation_); }

 private:
  void take_frames() {
    while (!done_) {
      auto next = reader_.next();
      if (!next) {
        complain(next.error().message);
        done_ = true;
      } else if (!*next) {
        return;
      } else {
        take(**next);
      }
    }
  }

  void take(const init::Frame& frame) {
    switch (frame.type) {
      case 'R':
        return;
      case 'S':
        return start();
      case 'O':
        return pass_on(OutputStream::standard_output, frame.payload);
      case 'P':
        return pass_on(OutputStream::standard_error, frame.payload);
      case 'V':
        return finish(frame.payload);
      case 'X':
        complain(frame.payload);
        done_ = true;
        return;
      default:
        complain(fmt::format("a frame of type {}", static_cast<int>(frame.type)));
        done_ = true;
    }
  }

  /// Once: a program starts once, and who watches may keep what he is told.
  void start() {
    if (!std::exchange(started_, true)) observer_.started(Stage::run);
  }

  void pass_on(OutputStream stream, std::string_view bytes) {
    auto& room = room_[static_cast<std::size_t>(stream)];
    bytes = bytes.substr(0, room);
    room -= bytes.size();
    if (!bytes.empty()) observer_.output(stream, bytes);
  }

  void finish(std::string_view payload) {
    auto report = init::decode_report(payload);
    if (report)
      conversation_.report = *report;
    else
      complain(report.error().message);
    done_ = true;
  }

  void complain(std::string_view words) {
    auto room = complaint_max - std::min(complaint_max, conversation_.complaint.size());
    conversation_.complaint.append(words.substr(0, room));
  }

  const Observer& observer_;
  std::uint64_t room_[2];
  init::FrameReader reader_;
  Conversation conversation_;
  bool started_ = false;
  bool done_ = false;
};

async::task<void> speak(engine::AttachedStream& stream, const Execution& execution,
                        const std::vector<std::string>& image_env) {
  // One write for all of it: small programs reach gantry-init in one packet.
  auto words = init::encode_program(execution.program, execution.policy, image_env);
  words += init::encode_input(execution.program.input);
  co_await stream.write(words);
}

}  // namespace

async::task<Conversation> converse(engine::AttachedStream& stream, const Execution& execution,
                                   const std::vector<std::string>& image_env,
                                   const Observer& observer) {
  Listener listener{execution.policy, observer};
  co_await async::with_companion(listener.listen(stream), speak(stream, execution, image_env));
  co_return std::move(listener).conversation();
}

Outcome outcome_of(const init::Report& report, const Policy& policy) {
  Outcome outcome;
  outcome.wall_time = report.wall_time;
  outcome.cpu_time = report.cpu_time;
  outcome.memory_peak_bytes = report.memory_peak_bytes;
  auto ended_by_us = [&](Verdict verdict, std::string message) {
    outcome.verdict = verdict;
    outcome.signal = SIGKILL;
    outcome.message = std::move(message);
  };
  switch (report.cause) {
    case init::Cause::exited:
      outcome.verdict = report.exit_code == 0 ? Verdict::ok : Verdict::failed;
      outcome.exit_code = report.exit_code;
      break;
    case init::Cause::not_started:
      outcome.verdict = Verdict::failed;
      outcome.exit_code = report.exit_code;
      outcome.message = "the command could not be started";
      break;
    case init::Cause::signalled:
      outcome.verdict = Verdict::signalled;
      outcome.signal = report.signal;
      outcome.message = fmt::format("ended by {}", signal_name(report.signal));
      break;
    case init::Cause::wall_time:
      ended_by_us(Verdict::timed_out,
                  fmt::format("ran longer than {} ms", policy.wall_time.count()));
      break;
    case init::Cause::cpu_time:
      ended_by_us(Verdict::cpu_exceeded,
                  fmt::format("used more than {} ms of CPU time", policy.cpu_time.count()));
      break;
    case init::Cause::memory:
      ended_by_us(Verdict::memory_exceeded,
                  fmt::format("needed more than {} bytes of memory", policy.memory.count));
      break;
    case init::Cause::stdout_cap:
    case init::Cause::stderr_cap:
      ended_by_us(Verdict::output_exceeded,
                  fmt::format("wrote more than {} bytes to standard {}", policy.output.count,
                              report.cause == init::Cause::stdout_cap ? "output" : "error"));
      break;
  }
  return outcome;
}

}  // namespace gantry::sandbox
