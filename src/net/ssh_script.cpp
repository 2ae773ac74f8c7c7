#include "net/ssh_script.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "base/random.hpp"
#include "net/local_pair.hpp"
#include "net/ssh_trial.hpp"
#include "net/ssh_user_config.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

namespace gantry::net {
namespace {

constexpr std::size_t nonce_length = 20;
constexpr const char* shell = "sh";

constexpr std::array<std::string_view, 3> codes{"ssh_commands_refused", "ssh_run_timed_out",
                                                "ssh_output_too_large"};

std::string mark(std::string_view which, std::string_view nonce) {
  return fmt::format("gantry-{}-{}\n", which, nonce);
}

Failure trouble(const SshCurrent& current, ErrorKind kind, std::string_view code,
                std::string_view cause, std::string remedy) {
  return Failure{
      {kind, std::string{code},
       fmt::format("cannot look at '{}' by SSH: {}", current.way.back().hop.text(), cause),
       std::move(remedy)}};
}

/// Sends the text and reads what comes back until the other side has ended.
async::task<void> converse(const SshCurrent& current, std::unique_ptr<Stream> stream,
                           std::string text, std::string& said) {
  // Where OpenSSH has ended already, its log says why.
  auto sent = co_await async::attempt(stream->write(text));
  if (sent) stream->finish_writing();
  char piece[4'096];
  for (;;) {
    auto count = co_await async::attempt(stream->read_some(piece));
    if (!count || *count == 0) co_return;
    said.append(piece, *count);
    if (said.size() <= ssh_output_max) continue;
    throw trouble(current, ErrorKind::too_large, "ssh_output_too_large",
                  fmt::format("it prints more than {} bytes", ssh_output_max),
                  "see what the user's shell prints there when it starts");
  }
}

/// OpenSSH ends with 255 when it broke off by itself; refused programs make it do so, too.
bool was_refused(const SshRun& run) {
  constexpr int broke_off = 255;
  auto words = run.log().last_lines();
  bool said = words.contains("request failed on channel") || words.contains("open failed: ");
  auto status = run.status();
  return said || (status && status->signal == 0 && status->code != broke_off);
}

}  // namespace

bool is_of_ssh_script(const Error& error) {
  return std::ranges::find(codes, error.code) != codes.end();
}

std::string marked_ssh_script(std::string_view script, std::string_view nonce) {
  // A compound command is read as a whole before it begins: a text that was cut off never runs,
  // and what it runs can not read the rest of it.
  return fmt::format(
      "printf 'gantry-%s-%s\\n' begin {0}\n"
      "(\n{1}\n) </dev/null 2>/dev/null\n"
      "printf 'gantry-%s-%s\\n' end {0}\n",
      nonce, script);
}

SshPrinted printed_by_ssh_script(std::string_view said, std::string_view nonce) {
  auto begin = mark("begin", nonce);
  auto at = said.find(begin);
  if (at == said.npos) return {};
  said.remove_prefix(at + begin.size());
  auto end = said.rfind(mark("end", nonce));
  if (end == said.npos) return {.began = true};
  return {.began = true, .whole = std::string{said.substr(0, end)}};
}

async::task<std::string> run_ssh_script(SshCurrent& current, std::string script) {
  auto executor = co_await boost::asio::this_coro::executor;
  auto nonce = random::word(nonce_length);
  auto pair = value_or_throw(stream_pair(executor));
  SshRun run{executor, current.way};
  run.start(current.start(ssh_command_arguments(current.config(), shell), pair.far.get()));
  pair.far.close();
  std::string said;
  auto talk = converse(current, std::move(pair.near), marked_ssh_script(script, nonce), said);
  auto ended = co_await async::attempt(async::with_deadline(
      current.patience, "running a text by SSH", async::both(run.follow(), std::move(talk))));
  if (!run.log().reached(SshLog::Stage::forward)) {
    if (!run.ended()) throw Failure{ssh_too_slow(current.way, current.patience)};
    throw Failure{refined_ssh_error(run.why_ended(), run.log(), current)};
  }
  if (!ended && ended.error().kind == ErrorKind::too_large) throw Failure{ended.error()};
  auto printed = printed_by_ssh_script(said, nonce);
  if (printed.whole) co_return std::move(*printed.whole);
  if (!ended && ended.error().kind == ErrorKind::timed_out) {
    throw trouble(current, ErrorKind::timed_out, "ssh_run_timed_out",
                  fmt::format("what runs there did not end within {} ms", current.patience.count()),
                  "look for what hangs there: a disk of the network, or a fixed command");
  }
  if (!ended) throw Failure{ended.error()};
  if (printed.began || !was_refused(run)) throw Failure{run.why_ended()};
  throw trouble(current, ErrorKind::denied, "ssh_commands_refused",
                "it runs no programs for this user, or a fixed one in their place",
                "to have it looked at, let this user run programs there: no 'command=' in its "
                "authorized_keys, no ForceCommand in sshd_config, and a shell");
}

async::task<std::string> run_ssh_script(const Endpoint& endpoint, const SshSettings& settings,
                                        const SshPlaces& places, SshPace pace, std::string script) {
  auto way = co_await find_ssh_way(endpoint.hop(), settings, places);
  SshCurrent current{settings, places, std::move(way), pace, endpoint.path()};
  co_return co_await run_ssh_script(current, std::move(script));
}

}  // namespace gantry::net
