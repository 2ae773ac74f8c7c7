#include "engine/exec_run.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "async/race.hpp"
#include "base/text.hpp"
#include "engine/exec_lost.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace gantry::engine {
namespace {

constexpr Milliseconds probe_max{10'000};
constexpr Bytes probe_output_max{4U << 10U};
/// The exit codes of a command that the engine could not start, and how it says so.
constexpr std::int64_t not_executable = 126;
constexpr std::int64_t not_found = 127;
constexpr std::array refusals{std::string_view{"OCI runtime exec failed"},
                              std::string_view{"unable to find user"},
                              std::string_view{"unable to find group"}};
constexpr std::size_t cause_max = 500;
constexpr Milliseconds first_look{10};
constexpr Milliseconds longest_look{500};

/// A command on its way.
struct Running {
  Client& client;
  MarkedExec exec;
  std::string input;
  ExecBounds bounds;
  std::optional<AttachedStream> stream = {};  ///< Once it is known to have started.
  std::optional<Error> refused = {};          ///< Why the engine has not started it.
  ExecResult result = {};
  bool ended = false;
  std::optional<Error> unknown = {};  ///< Why nobody knows whether it has.
};

void keep(CapturedOutput& output, std::string_view bytes, Bytes max) {
  auto room = max.count - std::min<std::uint64_t>(max.count, output.bytes.size());
  if (bytes.size() > room) output.truncated = true;
  output.bytes += bytes.substr(0, room);
}

async::task<void> read_all(Running& running) {
  while (auto frame = co_await running.stream->read()) {
    auto& output = frame->output == Output::out ? running.result.out : running.result.err;
    keep(output, frame->bytes, running.bounds.output_max);
  }
}

async::task<void> write_all(Running& running) {
  co_await running.stream->write(running.input);
  running.stream->finish_writing();
}

/// A command that has closed its outputs may run on, and an engine may notice an end late.
async::task<void> see_its_end(Running& running) {
  for (auto wait = first_look;; wait = std::min(2 * wait, longest_look)) {
    auto state = co_await inspect_exec(running.client, running.exec.exec);
    if (!state) {
      running.unknown = state.error();
      co_return;
    }
    running.ended = !state->running;
    if (running.ended) {
      running.result.exit_code = state->exit_code;
      co_return;
    }
    co_await async::pause(wait);
  }
}

async::task<void> run_to_its_end(Running& running) {
  auto stream = co_await start_exec(running.client, running.exec.exec, Framing::multiplexed);
  if (!stream) {
    running.refused = std::move(stream.error());
    co_return;
  }
  running.stream.emplace(std::move(*stream));
  co_await async::with_companion(read_all(running), write_all(running));
  co_await see_its_end(running);
}

/// Until it has ended, or its time.
async::task<void> converse(Running& running) {
  auto winner =
      co_await async::race(run_to_its_end(running), async::pause(running.bounds.time_max));
  running.result.timed_out = winner == async::Winner::second;
}

/// Nobody waits for what is still running.
async::task<void> put_to_an_end(Running& running) {
  if (running.ended || running.refused) co_return;
  if (running.stream) {
    running.stream->close();
    running.result.end = co_await end_exec(running.client, running.exec, "TERM");
  } else {
    running.result.end = co_await end_lost_exec(running.client, running.exec, "TERM");
  }
}

/// Later engines refuse it, in the same words.
Error in_own_words(Error error) {
  if (tells_of_a_failed_start(error.message)) {
    error.kind = ErrorKind::invalid;
    error.code = "exec_not_started";
    error.remedy = "check the command, the user and the folder";
  }
  return error;
}

/// Whether a command that could not be started is just not there.
bool is_absent(const Error& error) {
  constexpr std::array words{std::string_view{"executable file not found"},
                             std::string_view{"no such file or directory"}};
  if (error.code != "exec_not_started" || error.message.contains("chdir to cwd")) return false;
  return std::ranges::any_of(words, [&](auto word) { return error.message.contains(word); });
}

Result<ExecResult> ended(Running& running) {
  if (running.refused) return fail(in_own_words(std::move(*running.refused)));
  if (running.unknown) return fail(std::move(*running.unknown));
  auto& result = running.result;
  for (const auto* said : {&result.out.bytes, &result.err.bytes}) {
    auto refusal = start_refusal(result.exit_code.value_or(0), *said, running.exec.container);
    if (refusal) return fail(std::move(*refusal));
  }
  return std::move(result);
}

}  // namespace

std::optional<Error> start_refusal(std::int64_t exit_code, std::string_view output,
                                   const std::string& container) {
  auto begins = [&](auto words) { return output.starts_with(words); };
  bool failed = exit_code == not_executable || exit_code == not_found;
  if (!failed || std::ranges::none_of(refusals, begins)) return std::nullopt;
  auto cause = text::shortened(text::one_line(text::trimmed(output)), cause_max);
  return Error{ErrorKind::invalid, "exec_not_started",
               fmt::format("cannot run the command in container '{}': {}", container, cause),
               "check the command, the user and the folder"};
}

async::task<Result<ExecResult>> run_exec(Client& client, std::string container, ExecSpec spec,
                                         std::string input, ExecBounds bounds, const Ender* ender) {
  auto begun = steady_now();
  auto mark = fresh_exec_mark();
  spec.env.push_back(mark);
  spec.attach_stdin = !input.empty();
  auto id = co_await create_exec(client, container, spec);
  if (!id) co_return fail(std::move(id.error()));
  Running running{.client = client,
                  .exec = {.container = std::move(container),
                           .exec = std::move(*id),
                           .user = std::move(spec.user),
                           .mark = std::move(mark),
                           .ender = ender},
                  .input = std::move(input),
                  .bounds = bounds};
  // It may start before its start is answered: from here on it is not left alone.
  auto done = co_await async::attempt(async::finally(converse(running), put_to_an_end(running)));
  auto result = done ? ended(running) : fail(std::move(done.error()));
  if (!result && running.result.end.fate == ProcessFate::may_live_on) {
    result.error().remedy = fmt::format("look into the container: the command may live on: {}",
                                        running.result.end.detail);
  }
  if (result) {
    result->took = std::chrono::duration_cast<Milliseconds>(steady_now() - begun);
  }
  co_return result;
}

async::task<Result<std::optional<std::string>>> find_shell(Client& client, std::string container,
                                                           std::string user,
                                                           std::string working_dir) {
  for (const char* shell : {"bash", "ash", "sh"}) {
    ExecSpec spec;
    spec.command = {shell, "-c", "exit 0"};
    spec.user = user;
    spec.working_dir = working_dir;
    auto ran = co_await run_exec(client, container, std::move(spec), {},
                                 {.time_max = probe_max, .output_max = probe_output_max});
    if (ran && ran->exit_code == 0) co_return shell;
    if (!ran && !is_absent(ran.error())) co_return fail(std::move(ran.error()));
  }
  co_return std::nullopt;
}

}  // namespace gantry::engine
