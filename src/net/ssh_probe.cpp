#include "net/ssh_probe.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "net/ssh_known_hosts.hpp"
#include "net/ssh_trial.hpp"
#include "net/ssh_user_config.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

namespace gantry::net {
namespace this_coro = boost::asio::this_coro;
namespace {

using Stage = SshLog::Stage;

constexpr std::array<std::string_view, 5> step_names{"resolve", "connect", "host_key",
                                                     "authenticate", "forward"};

/// What a try of the way has brought to light so far.
struct Findings {
  std::optional<SshWay> way;
  std::optional<SshLog> log;
  std::array<Milliseconds, step_names.size()> took{};
  std::optional<SshVia> via;
};

void keep(Findings& findings, const SshRun& run) {
  findings.log = run.log();
  for (std::size_t i = 0; i < step_names.size(); ++i) {
    findings.took[i] = run.spent(static_cast<Stage>(i));
  }
}

async::task<void> find_out(SshRun& run, SshCurrent& current, Findings& findings) {
  bool forwarded = co_await forwards(run, current);
  if (forwarded) findings.via = SshVia::forward;
}

async::task<void> try_forward(SshCurrent& current, Findings& findings) {
  SshRun run{co_await this_coro::executor, current.way};
  auto since = steady_now();
  run.start(current.start_forward());
  auto tried = co_await async::attempt(async::race(run.follow(), find_out(run, current, findings)));
  keep(findings, run);
  // What no step before it took, the try of the forwarding did.
  if (run.log().reached(Stage::ready)) {
    auto whole = std::chrono::duration_cast<Milliseconds>(steady_now() - since);
    for (std::size_t i = 0; i + 1 < step_names.size(); ++i) whole -= findings.took[i];
    findings.took.back() = std::max(whole, Milliseconds{0});
  }
  if (!tried) throw Failure{refined_ssh_error(tried.error(), run.log(), current)};
  if (!run.log().reached(Stage::ready)) {
    throw Failure{refined_ssh_error(run.why_ended(), run.log(), current)};
  }
}

async::task<void> try_way(const Endpoint& endpoint, const SshSettings& settings,
                          const SshPlaces& places, SshPace pace, Findings& findings) {
  findings.way = co_await find_ssh_way(endpoint.hop(), settings, places);
  SshCurrent current{settings, places, *findings.way, pace, endpoint.path()};
  co_await try_forward(current, findings);
  if (findings.via) co_return;
  auto since = steady_now();
  auto fell_back = co_await async::attempt(fall_back_to_stdio(current));
  findings.took.back() += std::chrono::duration_cast<Milliseconds>(steady_now() - since);
  if (!fell_back) throw Failure{fell_back.error()};
  findings.via = SshVia::dial_stdio;
}

std::string through(const SshWay& way) {
  std::string names;
  for (std::size_t i = 0; i + 1 < way.size(); ++i) {
    names += (i == 0 ? ", through " : " and ") + way[i].hop.text();
  }
  return names;
}

/// What a step that went well has to tell.
std::string detail_of(Stage stage, const Findings& findings) {
  const auto& log = *findings.log;
  switch (stage) {
    case Stage::resolve:
      return log.address().empty() ? std::string{} : log.address();
    case Stage::connect:
      return findings.way->back().hop.text() + through(*findings.way);
    case Stage::host_key:
      return "the host key is trusted";
    case Stage::authenticate:
      return fmt::format("let in by {}", log.method());
    case Stage::forward:
    case Stage::ready:
      return findings.via == SshVia::forward
                 ? "streams to the socket are forwarded"
                 : "no streams are forwarded; 'docker system dial-stdio' is used instead";
  }
  return {};
}

SshHostKey named_key(const SshHostKey& key, const SshWay& way, std::size_t machine) {
  auto named = key;
  named.name = way[machine].known_as;
  return named;
}

/// The step at which `error` stopped the try.
std::size_t failed_step(const Findings& findings, const Error& error) {
  if (!findings.log) return 0;
  if (error.code == "ssh_name_unknown") return 0;
  auto stage = static_cast<std::size_t>(findings.log->stage());
  // "No route to host" may be said while the name is still being looked at.
  if (stage == 0) stage = 1;
  return std::min(stage, step_names.size() - 1);
}

SshReport report_of(const Findings& findings, std::optional<Error> error) {
  SshReport report{.via = findings.via, .error = std::move(error)};
  auto failed = report.error ? failed_step(findings, *report.error) : step_names.size();
  for (std::size_t i = 0; i < step_names.size(); ++i) {
    SshStep step{.step = std::string{step_names[i]}, .took = findings.took[i]};
    if (i < failed) {
      step.state = SshStep::State::ok;
      step.detail = detail_of(static_cast<Stage>(i), findings);
    } else if (i == failed) {
      step.state = SshStep::State::failed;
      step.detail = report.error->message;
      step.code = report.error->code;
      step.remedy = report.error->remedy;
    }
    bool shows_key = static_cast<Stage>(i) == Stage::host_key && i <= failed && findings.log;
    if (shows_key && findings.log->key()) {
      step.key = named_key(*findings.log->key(), *findings.way, findings.log->machine());
    }
    report.steps.push_back(std::move(step));
  }
  return report;
}

bool is_about_key(const Error& error) {
  return error.code == "ssh_host_key_unknown" || error.code == "ssh_host_key_changed";
}

/// Connects to the last machine of the way as far as its host key, and shows it nothing.
async::task<Result<SshLog>> scan(SshCurrent& current, SshPace pace, SshScan how) {
  auto config =
      current.room.write("scan", ssh_config(current.way, current.room.config_files(),
                                            current.room.answers(), pace.alive_interval, how));
  SshRun run{co_await this_coro::executor, current.way};
  run.start(current.start(ssh_idle_arguments(config)));
  auto scanned = co_await async::attempt(
      async::with_deadline(pace.patience, "asking for a host key",
                           async::race(run.follow(), run.reached(Stage::authenticate))));
  if (run.log().reached(Stage::authenticate)) co_return run.log();
  if (run.log().error()) co_return run.log();
  co_return fail(scanned ? run.why_ended() : scanned.error());
}

/// The machine whose key stands in the way: its place on it, and the type of its key.
struct Obstacle {
  std::size_t machine;
  std::string type;
};
async::task<Obstacle> find_obstacle(SshCurrent& current, SshPace pace) {
  auto log =
      value_or_throw(co_await scan(current, pace, {.known_hosts = current.places.known_hosts}));
  if (log.reached(Stage::authenticate)) {
    throw Failure{{ErrorKind::conflict,
                   "ssh_nothing_to_trust",
                   fmt::format("cannot trust a host key of '{}': all on the way are trusted",
                               current.way.back().hop.text()),
                   {}}};
  }
  if (!is_about_key(*log.error()) || !log.key()) throw Failure{*log.error()};
  co_return Obstacle{log.machine(), log.key()->type};
}

}  // namespace

async::task<SshReport> probe_ssh(const Endpoint& endpoint, const SshSettings& settings,
                                 const SshPlaces& places, SshPace pace) {
  Findings findings;
  auto tried = co_await async::attempt(try_way(endpoint, settings, places, pace, findings));
  co_return report_of(findings, tried ? std::nullopt : std::optional{tried.error()});
}

async::task<SshHostKey> trust_ssh(const Endpoint& endpoint, const SshSettings& settings,
                                  const SshPlaces& places, SshPace pace, std::string fingerprint) {
  if (!is_ssh_fingerprint(fingerprint)) {
    throw Failure{{ErrorKind::invalid, "bad_fingerprint",
                   "cannot trust a host key: the fingerprint is not SHA256: and 43 characters",
                   "copy it as it was shown"}};
  }
  auto way = co_await find_ssh_way(endpoint.hop(), settings, places);
  SshCurrent whole{settings, places, way, pace, {}};
  auto obstacle = co_await find_obstacle(whole, pace);
  way.resize(obstacle.machine + 1);
  SshCurrent current{settings, places, way, pace, {}};
  auto recorded = current.room.file("offered");
  auto log = value_or_throw(
      co_await scan(current, pace, {recorded, SshScan::Key::recorded, obstacle.type}));
  if (!log.reached(Stage::authenticate)) throw Failure{*log.error()};
  auto key = recorded_ssh_key(current.room.read("offered"));
  auto name = way.back().known_as;
  auto shown = key ? ssh_fingerprint(*key) : std::string{};
  if (shown != fingerprint) {
    throw Failure{{ErrorKind::conflict, "ssh_fingerprint_differs",
                   fmt::format("cannot trust the host key of '{}': it shows {} {} now", name,
                               obstacle.type, shown),
                   "compare again, on the machine itself"}};
  }
  write_known_hosts(places.known_hosts,
                    with_ssh_key(read_known_hosts(places.known_hosts), name, *key));
  co_return SshHostKey{name, key->type, shown};
}

}  // namespace gantry::net
