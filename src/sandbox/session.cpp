#include "sandbox/session.hpp"

#include "async/attempt.hpp"
#include "async/race.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/this_coro.hpp>  // tidy: asio because a signal needs its coroutine's loop
#include <fmt/format.h>
#include <signal.h>

namespace gantry::sandbox {
namespace {

constexpr std::size_t complaint_max = 4096;

std::string what_came(const init::Frame& frame) {
  if (frame.type == 'X') return frame.payload;
  return fmt::format("a frame of type {}", static_cast<int>(frame.type));
}

bool is_ready_frame(const init::Frame& frame) {
  return frame.type == 'R' && frame.payload.size() == 1 &&
         frame.payload[0] == static_cast<char>(init::version);
}

/// The files of /box/out, whose names the program chose and whose caps gantry-init has counted.
class ArtifactReader {
 public:
  /// Nothing, or what is wrong.
  std::string begin(std::string_view payload) {
    auto head = init::decode_artifact_head(payload);
    if (!head) return head.error().message;
    if (left_ > 0 || count_ == init::artifacts_max || head->size > room_) {
      return "more artifacts than it may send";
    }
    ++count_;
    left_ = head->size;
    room_ -= head->size;
    kept_ = check_file_path(head->path) && text::valid_utf8(head->path);
    if (kept_)
      artifacts_.push_back({.path = std::move(head->path), .content = {}});
    else
      ++refused_;
    return {};
  }
  std::string append(std::string_view bytes) {
    if (bytes.empty()) return "data of an artifact that is none";
    if (bytes.size() > left_) return "an artifact longer than announced";
    left_ -= bytes.size();
    if (kept_) artifacts_.back().content += bytes;
    return {};
  }
  bool complete() const { return left_ == 0; }
  std::uint32_t refused() const { return refused_; }
  std::vector<Artifact> take() && {
    std::ranges::sort(artifacts_, {}, &Artifact::path);
    return std::move(artifacts_);
  }

 private:
  std::vector<Artifact> artifacts_;
  std::size_t count_ = 0;
  std::uint64_t room_ = init::artifact_bytes_max;
  std::uint64_t left_ = 0;
  std::uint32_t refused_ = 0;
  bool kept_ = false;
};

/// The bytes for what somebody did at the keyboard; none for what means nothing to this program.
std::string encode_keystrokes(const Keystrokes& keys, const Execution& execution) {
  constexpr int signal_max = 64;
  switch (keys.kind) {
    case Keystrokes::Kind::bytes:
      return init::encode_input(keys.bytes);
    case Keystrokes::Kind::end_of_input:
      return init::encode_end_of_input();
    case Keystrokes::Kind::signal:
      if (keys.signal < 1 || keys.signal > signal_max) return {};
      return init::encode_signal(keys.signal);
    case Keystrokes::Kind::resize:
      return execution.terminal ? init::encode_resize(keys.rows, keys.columns) : std::string{};
  }
  return {};
}

void add_remark(StageOutcome& outcome, const std::string& remark) {
  if (!remark.empty() && !outcome.message.empty()) outcome.message += "; ";
  outcome.message += remark;
}

bool ended_by_itself(Verdict verdict) {
  return verdict == Verdict::ok || verdict == Verdict::failed || verdict == Verdict::signalled;
}

Policy policy_of_compilation(const Execution& execution) {
  auto policy = execution.policy;
  policy.wall_time = execution.program.compile->wall_time;
  policy.cpu_time = execution.program.compile->cpu_time;
  return policy;
}

}  // namespace

/// Takes the frames of one stage.
class InitSession::Listener {
 public:
  Listener(Stage stage, Policy policy, const Observer& observer,
           const std::optional<Workspace>& workspace = {})
      : stage_{stage},
        policy_{std::move(policy)},
        observer_{observer},
        room_{policy_.output.count, policy_.output.count} {
    if (workspace) workspace_.emplace(*workspace);
  }

  /// Whether there is more to come.
  bool take(const init::Frame& frame) {
    switch (frame.type) {
      case 'R':
        return is_ready_frame(frame) || stop("it speaks another version");
      case 'w':
        return true;
      case 'S':
        return start();
      case 'O':
        return pass_on(OutputStream::standard_output, frame.payload);
      case 'P':
        return pass_on(OutputStream::standard_error, frame.payload);
      case 'N':
        if (stage_ == Stage::compile) return stop(what_came(frame));
        return go_on(artifacts_.begin(frame.payload));
      case 'D':
        if (workspace_ && artifacts_.complete()) return go_on(workspace_->append(frame.payload));
        return go_on(artifacts_.append(frame.payload));
      case 'H':
      case 'Y':
        if (!workspace_) return stop(what_came(frame));
        return go_on(frame.type == 'H' ? workspace_->begin(frame.payload)
                                       : workspace_->end(frame.payload));
      case 'V':
        return finish(frame.payload);
      default:
        return stop(what_came(frame));
    }
  }

  const std::string& fault() const { return fault_; }

  /// How the stage ended, if it has.
  std::optional<StageOutcome> stage_outcome() const {
    if (!report_) return std::nullopt;
    auto outcome = outcome_of(*report_, policy_);
    outcome.output_truncated |= truncated_[0];
    outcome.errors_truncated |= truncated_[1];
    if (workspace_) add_remark(outcome, workspace_->remark());
    auto skipped = std::uint64_t{report_->artifacts_skipped} + artifacts_.refused();
    if (skipped > 0 && outcome.message.empty()) {
      outcome.message = fmt::format(
          "{} of the files in /box/out were left behind: too many, too large or no plain files",
          skipped);
    }
    return outcome;
  }
  std::vector<Artifact> take_artifacts() { return std::move(artifacts_).take(); }
  std::optional<std::string> take_workspace() {
    if (!workspace_ || !workspace_->whole()) return std::nullopt;
    return std::move(*workspace_).take();
  }

 private:
  bool stop(std::string fault) {
    fault_ = std::move(fault);
    return false;
  }
  bool go_on(std::string fault) { return fault.empty() || stop(std::move(fault)); }

  /// Once: a program starts once, and who watches may keep what he is told.
  bool start() {
    if (!std::exchange(started_, true)) observer_.started(stage_);
    return true;
  }

  bool pass_on(OutputStream stream, std::string_view bytes) {
    auto index = static_cast<std::size_t>(stream);
    auto& room = room_[index];
    if (bytes.size() > room) truncated_[index] = true;
    bytes = bytes.substr(0, room);
    room -= bytes.size();
    if (!bytes.empty()) observer_.output(stream, bytes);
    return true;
  }

  bool finish(std::string_view payload) {
    auto report = init::decode_report(payload);
    if (!report) return stop(report.error().message);
    if (!artifacts_.complete()) return stop("an artifact shorter than announced");
    if (workspace_ && !workspace_->complete()) return stop("a kept file shorter than announced");
    report_ = *report;
    return false;
  }

  Stage stage_;
  Policy policy_;
  const Observer& observer_;
  std::array<std::uint64_t, 2> room_;
  std::array<bool, 2> truncated_{};
  ArtifactReader artifacts_;
  std::optional<WorkspaceReader> workspace_;
  std::optional<init::Report> report_;
  std::string fault_;
  bool started_ = false;
};

/// Reads once; false at the end.
async::task<bool> InitSession::hear() {
  auto frame = co_await stream_.read();
  if (!frame) co_return false;
  if (frame->output == engine::Output::err)
    complain(frame->bytes);
  else
    reader_.feed(frame->bytes);
  co_return true;
}

std::optional<init::Frame> InitSession::next_frame() {
  if (broken_) return std::nullopt;
  auto next = reader_.next();
  if (next) return std::move(*next);
  complain(next.error().message);
  broken_ = true;
  return std::nullopt;
}

void InitSession::complain(std::string_view words) {
  auto room = complaint_max - std::min(complaint_max, complaint_.size());
  complaint_.append(words.substr(0, room));
}

async::task<std::string> InitSession::watch() {
  for (;;) {
    if (auto frame = next_frame()) {
      complain(what_came(*frame));
      broken_ = true;
    }
    if (broken_ || !co_await hear()) break;
  }
  co_return complaint_.empty() ? "it ended" : complaint_;
}

async::task<Result<>> InitSession::prepare(std::optional<init::Boot> boot) {
  if (boot) co_await stream_.write(init::encode_boot(*boot));
  for (;;) {
    while (auto frame = next_frame()) {
      bool ready = is_ready_frame(*frame);
      if (boot && frame->type == 'w') interpreter_file_ = boot->file;
      if (boot ? interpreter_file_.has_value() : ready) co_return ok;
      if (ready) continue;
      complain(what_came(*frame));
      broken_ = true;
    }
    if (broken_ || !co_await hear()) break;
  }
  auto why = complaint_.empty() ? "it ended" : text::shortened(text::one_line(complaint_), 400);
  co_return fail(ErrorKind::unavailable, "sandbox_not_ready",
                 fmt::format("cannot prepare a sandbox: {}", why));
}

async::task<void> InitSession::listen(Listener& listener) {
  for (;;) {
    while (auto frame = next_frame()) {
      if (listener.take(*frame)) continue;
      complain(listener.fault());
      broken_ = !listener.fault().empty();
      co_return;
    }
    if (broken_ || !co_await hear()) co_return;
  }
}

/// What was begun to be said is said to its end: the next stage speaks over the same stream.
async::task<void> InitSession::listen_and_be_heard(Listener& listener, async::StopSignal& spoken) {
  co_await listen(listener);
  if (listener.stage_outcome()) co_await spoken.wait();
}

async::task<void> InitSession::speak_compilation(std::string words, async::StopSignal& spoken) {
  co_await async::attempt(stream_.write(words));
  spoken.stop();
}

async::task<std::optional<StageOutcome>> InitSession::compile(
    const Execution& execution, const std::vector<std::string>& image_env,
    const Observer& observer) {
  Listener listener{Stage::compile, policy_of_compilation(execution), observer};
  async::StopSignal spoken{co_await boost::asio::this_coro::executor};
  auto words = init::encode_compilation(execution, image_env);
  co_await async::with_companion(listen_and_be_heard(listener, spoken),
                                 speak_compilation(std::move(words), spoken));
  co_return listener.stage_outcome();
}

/// One write for all that is known: small programs reach gantry-init in one packet.
async::task<void> InitSession::speak(const Execution& execution, std::string words) {
  words += init::encode_input(execution.program.input);
  if (!execution.keyboard) words += init::encode_end_of_input();
  co_await stream_.write(words);
  if (!execution.keyboard) co_return;
  bool ended = false;
  while (auto keys = co_await execution.keyboard->receive()) {
    bool types = keys->kind == Keystrokes::Kind::bytes;
    bool ends = keys->kind == Keystrokes::Kind::end_of_input;
    if (ended && (types || ends)) continue;
    ended = ended || ends;
    auto bytes = encode_keystrokes(*keys, execution);
    if (!bytes.empty()) co_await stream_.write(bytes);
  }
  if (!ended) co_await stream_.write(init::encode_end_of_input());
}

async::task<Conversation> InitSession::run(const Execution& execution,
                                           const std::vector<std::string>& image_env,
                                           const Observer& observer, init::Start start) {
  Conversation conversation;
  const auto& program = execution.program;
  if (program.compile) {
    conversation.compile = co_await compile(execution, image_env, observer);
    if (!conversation.compile || conversation.compile->verdict != Verdict::ok) {
      if (conversation.compile) conversation.outcome.emplace(*conversation.compile);
      if (conversation.compile) conversation.outcome->compile = conversation.compile;
      conversation.complaint = complaint_;
      co_return conversation;
    }
  }
  bool may_wait = interpreter_file_ == execution.policy.file && !program.compile &&
                  !execution.terminal && program.working_dir.empty();
  auto words = init::encode_run(execution, image_env, may_wait ? start : init::Start::fresh);
  Listener listener{Stage::run, execution.policy, observer, execution.workspace};
  co_await async::with_companion(listen(listener), speak(execution, std::move(words)));
  if (auto ended = listener.stage_outcome()) {
    conversation.outcome.emplace(std::move(*ended));
    conversation.outcome->compile = conversation.compile;
    conversation.outcome->artifacts = listener.take_artifacts();
    if (ended_by_itself(conversation.outcome->verdict)) {
      conversation.outcome->workspace = listener.take_workspace();
    }
  }
  conversation.complaint = complaint_;
  co_return conversation;
}

StageOutcome outcome_of(const init::Report& report, const Policy& policy) {
  StageOutcome outcome;
  outcome.wall_time = report.wall_time;
  outcome.cpu_time = report.cpu_time;
  outcome.memory_peak_bytes = report.memory_peak_bytes;
  outcome.output_truncated = report.output_truncated;
  outcome.errors_truncated = report.errors_truncated;
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
      outcome.message = report.signal == SIGXFSZ
                            ? fmt::format("wrote a file of more than {} bytes", policy.file.count)
                            : fmt::format("ended by {}", signal_name(report.signal));
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
