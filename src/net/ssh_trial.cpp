#include "net/ssh_trial.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "net/local_pair.hpp"
#include "net/socket_stream.hpp"
#include "net/ssh_known_hosts.hpp"
#include "net/ssh_script.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace gantry::net {
namespace asio = boost::asio;
using asio::local::stream_protocol;
namespace {

constexpr auto answer_patience = Seconds{5};
constexpr std::string_view ping =
    "GET /_ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

async::task<bool> ask(Stream& stream) {
  co_await stream.write(ping);
  char byte[1];
  co_return co_await stream.read_some(byte) > 0;
}

async::task<void> until_ended(SshRun& run) {
  while (!run.ended()) co_await run.changed();
}

/// A far side that does not even let us in any more tells nothing about its socket.
void insist_on_login(const SshRun& run, const SshCurrent& current) {
  if (run.log().reached(SshLog::Stage::forward)) return;
  throw Failure{run.ended() ? run.why_ended() : ssh_too_slow(current.way, current.patience)};
}

bool says(std::string_view words, std::string_view what) { return words.find(what) != words.npos; }

/// What was found there.
struct Found {
  bool looked = false;  ///< Whether programs run there at all.
  bool socket_missing = false;
  bool socket_denied = false;
  bool docker = false;
};

async::task<Found> look(SshCurrent& current) {
  auto printed = co_await async::attempt(run_ssh_script(current, ssh_look_script(current.path)));
  if (!printed && !is_of_ssh_script(printed.error())) throw Failure{printed.error()};
  if (!printed) co_return Found{};
  co_return Found{.looked = true,
                  .socket_missing = says(*printed, "socket=missing"),
                  .socket_denied = says(*printed, "socket=denied"),
                  .docker = says(*printed, "docker=there")};
}

struct StdioTrial {
  bool answered = false;
  std::string words;
};

async::task<void> ask_stdio(SshRun& run, std::unique_ptr<Stream> stream, StdioTrial& trial) {
  co_await run.reached(SshLog::Stage::forward);
  trial.answered = co_await answers_http(std::move(stream));
  if (!trial.answered) co_await until_ended(run);  // its last words
}

async::task<StdioTrial> try_stdio(SshCurrent& current) {
  auto executor = co_await asio::this_coro::executor;
  auto pair = value_or_throw(stream_pair(executor));
  SshRun run{executor, current.way};
  run.start(current.start_stdio(pair.far.get()));
  pair.far.close();
  StdioTrial result;
  auto work = async::race(run.follow(), ask_stdio(run, std::move(pair.near), result));
  auto tried = co_await async::attempt(
      async::with_deadline(current.patience, "trying dial-stdio", std::move(work)));
  insist_on_login(run, current);
  result.words = tried ? run.log().last_lines() : tried.error().message;
  co_return result;
}

struct Reason {
  ErrorKind kind;
  std::string_view code;
  std::string_view cause;
  std::string_view remedy;
};

constexpr Reason permission{ErrorKind::denied, "ssh_remote_socket_permission",
                            "permission denied there",
                            "let the user that logs in into the group 'docker' of that machine"};
constexpr Reason missing{ErrorKind::unavailable, "ssh_remote_socket_missing",
                         "there is no such socket there, or it is in a folder that the user may "
                         "not enter",
                         "start Docker on that machine, or name the socket's path in the endpoint"};
constexpr Reason engine_down{ErrorKind::unavailable, "ssh_remote_engine_down",
                             "nobody answers behind it", "start Docker on that machine"};
constexpr Reason no_docker{
    ErrorKind::unavailable, "ssh_remote_docker_missing",
    "the machine forwards no sockets (or nobody listens at this one), and it has no program "
    "'docker' in PATH for 'docker system dial-stdio'",
    "set 'AllowStreamLocalForwarding yes' in its sshd_config, or install Docker's client there"};
constexpr Reason nothing_allowed{
    ErrorKind::denied, "ssh_forwarding_refused",
    "the machine forwards no sockets, or not this one, and runs no programs for this user",
    "set 'AllowStreamLocalForwarding yes' in its sshd_config for this user"};

const Reason& reason_of(const Found& found, std::string_view words) {
  if (!found.looked) return nothing_allowed;
  if (found.docker && says(words, "permission denied")) return permission;
  if (found.docker && says(words, "command not found")) return no_docker;
  if (found.socket_denied) return permission;
  if (found.socket_missing) return missing;
  return found.docker ? engine_down : no_docker;
}

}  // namespace

SshCurrent::SshCurrent(const SshSettings& how, const SshPlaces& where, SshWay found,
                       const SshPace& pace, std::string far_path)
    : settings{how},
      places{where},
      way{std::move(found)},
      room{how, where},
      path{std::move(far_path)},
      patience{pace.patience} {
  room.write("config", ssh_config(way, room.config_files(), room.answers(), pace.alive_interval));
}

async::task<std::unique_ptr<Stream>> dial_socket(std::string path) {
  stream_protocol::socket socket{co_await asio::this_coro::executor};
  co_await socket.async_connect({path}, asio::use_awaitable);
  co_return socket_stream(std::move(socket));
}

async::task<bool> answers_http(std::unique_ptr<Stream> stream) {
  auto answered = co_await async::attempt(
      async::with_deadline(answer_patience, "waiting for an answer", ask(*stream)));
  co_return answered ? *answered : answered.error().kind == ErrorKind::timed_out;
}

async::task<void> fall_back_to_stdio(SshCurrent& current) {
  auto found = co_await look(current);
  StdioTrial stdio;
  // Where the look itself did not run, a forced command may be dial-stdio already.
  if (found.docker || !found.looked) stdio = co_await try_stdio(current);
  if (stdio.answered) co_return;
  const auto& reason = reason_of(found, stdio.words);
  throw Failure{{reason.kind, std::string{reason.code},
                 fmt::format("cannot use '{}' on '{}' by SSH: {}", ssh_remote_socket(current.path),
                             current.way.back().hop.text(), reason.cause),
                 std::string{reason.remedy}}};
}

async::task<bool> forwards(SshRun& run, SshCurrent& current) {
  auto stands = co_await async::attempt(async::with_deadline(current.patience, "connecting by SSH",
                                                             run.reached(SshLog::Stage::ready)));
  if (!stands) {
    bool slow = stands.error().kind == ErrorKind::timed_out && !run.log().error();
    throw Failure{slow ? ssh_too_slow(current.way, current.patience) : stands.error()};
  }
  auto stream = co_await async::attempt(dial_socket(current.socket()));
  co_return stream&& co_await answers_http(std::move(*stream));
}

Error refined_ssh_error(Error error, const SshLog& log, const SshCurrent& current) {
  if (error.code != "ssh_host_key_unknown") return error;
  const auto& name = current.way[log.machine()].known_as;
  if (!knows_ssh_name(read_known_hosts(current.places.known_hosts), name)) return error;
  error.code = "ssh_host_key_changed";
  error.message += ", while keys of another type are trusted under its name";
  return error;
}

}  // namespace gantry::net
