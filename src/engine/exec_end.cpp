#include "engine/exec_end.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "engine/exec.hpp"
#include "engine/exec_ender.hpp"
#include "engine/refusal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace gantry::engine {
namespace {

constexpr Milliseconds round_max{10'000};
constexpr Milliseconds all_rounds_max{20'000};
constexpr Milliseconds between_rounds{200};
constexpr int kill_rounds = 4;
constexpr Milliseconds ask_max{5'000};
/// An engine notices an end a moment late.
constexpr int asks_max = 10;
/// An engine answers before it has started the process.
constexpr int looks_max = 6;
constexpr Milliseconds between_looks{100};
constexpr std::size_t answer_max = 4096;

// $1 is the mark, $2 the session or nothing, $3 a signal or 0; the answer is `SESSION COUNT`. Only
// what every shell has built in: an image may hold nothing else. A process that the engine started
// has no parent in its own namespace (0); where the container shares the host's, it has, and then
// the first with the mark is it. A process's name stands in brackets and is anybody's to choose:
// what counts comes after the last bracket. Neither the first process nor this one is ever meant.
constexpr const char* script = R"(mark=$1 session=$2 signal=$3 found=0
if [ -z "$session" ]; then
  for folder in /proc/[0-9]*; do
    pid=${folder#/proc/}
    read -r stat 2>/dev/null <"$folder/stat" || continue
    set -- ${stat##*) }
    [ "$4" = "$pid" ] || continue
    marked=
    while read -r line || [ -n "$line" ]; do
      case $line in *"$mark"*) marked=1 ;; esac
      line=
    done 2>/dev/null <"$folder/environ"
    [ -n "$marked" ] || continue
    if [ "$2" = 0 ]; then session=$pid; break; fi
    [ -n "$session" ] || session=$pid
  done
fi
case $session in ''|0|1|*[!0-9]*) echo '0 0'; exit 0 ;; esac
for folder in /proc/[0-9]*; do
  pid=${folder#/proc/}
  case $pid in 1|$$) continue ;; esac
  read -r stat 2>/dev/null <"$folder/stat" || continue
  set -- ${stat##*) }
  case $1 in Z|X) continue ;; esac
  [ "$4" = "$session" ] || continue
  found=$((found + 1))
  if [ "$signal" != 0 ]; then
    kill -s "$signal" "$pid" 2>/dev/null
    [ "$signal" = KILL ] || kill -s CONT "$pid" 2>/dev/null
  fi
done
echo "$session $found")";

/// What a round found.
struct Round {
  std::int64_t session = 0;
  std::int64_t found = 0;
};

std::optional<Round> read_round(std::string_view answer) {
  answer = text::trimmed(answer);
  // What the image's own start-up files say stands before.
  if (auto line = answer.rfind('\n'); line != answer.npos) answer.remove_prefix(line + 1);
  Round round;
  const auto* end = answer.data() + answer.size();
  auto first = std::from_chars(answer.data(), end, round.session);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ' ') return std::nullopt;
  auto second = std::from_chars(first.ptr + 1, end, round.found);
  if (second.ec != std::errc{} || second.ptr != end) return std::nullopt;
  return round;
}

async::task<std::string> output_of(Client& client, std::string container, ExecSpec spec) {
  auto id = value_or_throw(co_await create_exec(client, std::move(container), spec));
  auto stream = value_or_throw(co_await start_exec(client, id, Framing::multiplexed));
  std::string out;
  while (auto frame = co_await stream.read()) {
    if (frame->output == Output::out && out.size() < answer_max) out += frame->bytes;
  }
  co_return out;
}

std::unexpected<Error> no_shell() {
  return fail(ErrorKind::unavailable, "no_shell",
              "the container has no shell with which to end it");
}

/// Why a shell has not told anything.
std::unexpected<Error> why_not(Error error) {
  if (tells_of_a_failed_start(error.message)) return no_shell();
  if (error.code == "timed_out") {
    return fail(ErrorKind::timed_out, "not_ended", "the container's shell does not answer");
  }
  return fail(std::move(error));
}

/// One walk over the container's processes, by one shell.
async::task<Result<Round>> walk(Client& client, MarkedExec exec, std::string shell,
                                std::string signal) {
  ExecSpec spec;
  auto session = exec.session ? std::to_string(*exec.session) : std::string{};
  spec.command = {
      std::move(shell), "-c", script, "gantry", std::move(exec.mark), std::move(session),
      std::move(signal)};
  spec.user = std::move(exec.user);
  // An image's own start-up file of shells that are given a script is not for this one.
  spec.env = {"BASH_ENV=", "ENV="};
  spec.working_dir = "/";
  auto answer = co_await async::attempt(async::with_deadline(
      round_max, "a shell in the container", output_of(client, std::move(exec.container), spec)));
  if (!answer) co_return why_not(std::move(answer.error()));
  auto round = read_round(*answer);
  if (!round) co_return no_shell();
  co_return *round;
}

/// The same by whichever shell there is; it is remembered.
async::task<Result<Round>> walk(Client& client, MarkedExec& exec, std::string signal) {
  Result<Round> last = no_shell();
  for (const auto& shell : std::vector<std::string>{exec.shells}) {
    last = co_await walk(client, exec, shell, signal);
    if (last) {
      exec.shells = {shell};
      if (last->session > 1) exec.session = last->session;
      co_return last;
    }
    // What keeps one shell from being started, or from answering, keeps all of them.
    auto kind = last.error().kind;
    if (kind == ErrorKind::conflict || kind == ErrorKind::not_found ||
        kind == ErrorKind::timed_out) {
      break;
    }
  }
  co_return last;
}

/// Whether the engine knows that it has ended. An exec goes with its container.
async::task<Result<bool>> has_ended(Client& client, std::string exec) {
  auto state = co_await async::attempt(inspect_exec(client, std::move(exec)));
  if (state) co_return !state->running;
  if (state.error().kind == ErrorKind::not_found) co_return true;
  co_return fail(std::move(state.error()));
}

async::task<Result<>> kill_all(Client& client, MarkedExec exec, std::string first) {
  auto ended = co_await has_ended(client, exec.exec);
  if (!ended) co_return fail(std::move(ended.error()));
  if (*ended) co_return ok;
  auto round = co_await walk(client, exec, std::move(first));
  if (!round) co_return fail(std::move(round.error()));
  for (int i = 0; i < kill_rounds; ++i) {
    co_await async::pause(between_rounds);
    ended = co_await has_ended(client, exec.exec);
    if (!ended) co_return fail(std::move(ended.error()));
    // Its session may outlive it: then only a walk that finds nobody is the end.
    if (*ended && !exec.session) co_return ok;
    if (i == kill_rounds - 2) exec.user = "0";
    round = co_await walk(client, exec, "KILL");
    if (!round) co_return fail(std::move(round.error()));
    if (*ended && round->found == 0) co_return ok;
  }
  ended = co_await has_ended(client, exec.exec);
  if (!ended) co_return fail(std::move(ended.error()));
  if (*ended) co_return ok;
  co_return fail(ErrorKind::unavailable, "not_ended",
                 round->session == 0 ? "its process can not be found in the container"
                                     : "its process can not be killed from within the container");
}

/// As has_ended, with a little patience.
async::task<Result<bool>> ends_soon(Client& client, std::string exec) {
  for (int asks = 1;; ++asks) {
    auto ended = co_await has_ended(client, exec);
    if (!ended || *ended || asks == asks_max) co_return ended;
    co_await async::pause(between_rounds);
  }
}

/// What the one beside says is not taken for it: the engine knows. Where the container has ended
/// meanwhile, that one has failed, and everything has ended all the same.
async::task<Result<>> finish_beside(Client& client, MarkedExec exec, std::string first) {
  auto id = exec.exec;
  const auto& ender = *exec.ender;
  auto beside = co_await end_from_beside(client, ender, std::move(exec), std::move(first));
  if (!beside && is_of_the_way(beside.error())) co_return beside;
  auto ended = co_await async::attempt(
      async::with_deadline(ask_max, "asking after it", ends_soon(client, std::move(id))));
  if (!ended) co_return fail(std::move(ended.error()));
  if (*ended) co_return ok;
  if (!beside) co_return beside;
  co_return fail(ErrorKind::unavailable, "not_ended", "its process goes on");
}

async::task<Result<>> finish(Client& client, MarkedExec exec, std::string first) {
  auto killed = co_await async::attempt(
      async::with_deadline(all_rounds_max, "ending it", kill_all(client, exec, first)));
  if (killed) co_return ok;
  // The container may have ended meanwhile, and everything in it.
  auto ended = co_await async::attempt(
      async::with_deadline(ask_max, "asking after it", has_ended(client, exec.exec)));
  if (ended && *ended) co_return ok;
  constexpr std::array<std::string_view, 3> may_be_done_beside{"no_shell", "not_ended",
                                                               "timed_out"};
  if (exec.ender == nullptr ||
      std::ranges::find(may_be_done_beside, std::string_view{killed.error().code}) ==
          may_be_done_beside.end()) {
    co_return killed;
  }
  auto beside = co_await finish_beside(client, std::move(exec), std::move(first));
  if (beside || is_of_the_way(beside.error())) co_return beside;
  co_return fail(ErrorKind::unavailable, "not_ended",
                 fmt::format("{}; {}", killed.error().message, beside.error().message));
}

}  // namespace

std::string fresh_exec_mark() { return "GANTRY_EXEC=" + random::word(24); }

async::task<std::optional<std::int64_t>> find_session(Client& client, MarkedExec exec) {
  for (int looks = 0; looks < looks_max; ++looks) {
    if (looks > 0) co_await async::pause(between_looks);
    auto round = co_await async::attempt(walk(client, exec, "0"));
    if (!round) co_return std::nullopt;
    if (round->session > 1) co_return round->session;
    auto state = co_await async::attempt(inspect_exec(client, exec.exec));
    bool over = !state || (!state->running && state->pid > 0);
    if (over) co_return std::nullopt;
  }
  co_return std::nullopt;
}

async::task<ExecEnd> end_exec(Client& client, MarkedExec exec, std::string first) {
  auto ended = co_await finish(client, std::move(exec), std::move(first));
  if (ended) co_return ExecEnd{};
  // How the engine is reached is not for everybody whom this is told.
  const auto& error = ended.error();
  co_return ExecEnd{ProcessFate::may_live_on,
                    is_of_the_way(error) ? "the engine can not be asked any more" : error.message};
}

}  // namespace gantry::engine
