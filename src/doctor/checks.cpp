#include "doctor/checks.hpp"

#include "doctor/judges.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace gantry::doctor {
namespace {

/// From cause to consequence: the first that failed is the cause.
constexpr std::array table{
    Check{"endpoint",
          "endpoint",
          "Which engine 'docker' talks to: DOCKER_HOST wins over contexts, a context over the "
          "default socket.",
          &judge::endpoint,
          {Part::config}},
    Check{"tls",
          "certificates",
          "TLS keeps an engine on the network from everybody else: by certificates that both sides "
          "show each other, and that end one day.",
          &judge::tls,
          {Part::config}},
    Check{"socket",
          "socket",
          "The engine listens on a Unix socket. Without the file there is no engine, or it listens "
          "elsewhere.",
          &judge::socket,
          {Part::access}},
    Check{"socket_group",
          "socket's group",
          "The socket is opened by the number of its group. Names are looked up on each machine by "
          "itself: in a container the same number may have another name, or none.",
          &judge::socket_group,
          {Part::access}},
    Check{"membership",
          "account",
          "Who is in the socket's group may use the engine, and by it become root.",
          &judge::membership,
          {Part::account, Part::access}},
    Check{
        "process_groups",
        "process",
        "A process keeps the groups with which it began. Who was added to a group afterwards must "
        "log in again, and services must be restarted.",
        &judge::process_groups,
        {Part::account, Part::access}},
    Check{
        "access",
        "access",
        "To connect to a Unix socket takes write permission on it: by owner, access control list, "
        "group or everybody.",
        &judge::access,
        {Part::account, Part::access}},
    Check{"engine", "engine", "Whether the engine answers, and what it is.", &judge::engine},
    Check{"api", "API", "The versions of the Engine API that both sides speak.", &judge::api},
    Check{"socket_mode",
          "everybody else",
          "Whoever can write to the socket can become root on this machine. Mode 666 makes that "
          "everybody, each process of each user included.",
          &judge::socket_mode,
          {Part::access}},
    Check{"members",
          "group's members",
          "Who is in the group can start a container that has the machine's disk, and so become "
          "root. That is what the group means.",
          &judge::members,
          {Part::access}},
    Check{"exposed",
          "network",
          "Port 2375 is the engine without a password: who reaches it is root. Port 2376 is safe "
          "with client certificates alone.",
          &judge::exposed,
          {Part::machine}},
    Check{"confinement",
          "confinement",
          "SELinux, AppArmor and snaps refuse what the file's permissions allow.",
          &judge::confinement,
          {Part::access}},
    Check{"rootless",
          "rootless",
          "An engine that runs as an ordinary user: who breaks out of its containers is not root. "
          "It listens in $XDG_RUNTIME_DIR.",
          &judge::rootless,
          {Part::access}},
    Check{"isolation", "isolation",
          "What stands between a container and the machine: seccomp, AppArmor or SELinux, user "
          "namespaces, rootless mode.",
          &judge::isolation},
    Check{"versions", "versions",
          "Known ways out of containers are closed by upgrades of engine, containerd and runc.",
          &judge::versions},
    Check{"cgroups", "cgroups", "Control groups enforce the limits of containers.",
          &judge::cgroups},
    Check{"storage", "storage", "How the engine keeps images and containers.", &judge::storage},
    Check{"disk",
          "disk",
          "A full disk, or one without inodes, stops containers, pulls and logs.",
          &judge::disk,
          {Part::data}},
    Check{"logs",
          "logs",
          "What containers print is kept on the engine's disk; by default for ever.",
          &judge::logs,
          {Part::data}},
    Check{"compose", "compose",
          "Compose is a plugin ('docker compose', version 2) or a program of its own "
          "('docker-compose', version 1); scripts that name the other one fail with 'command not "
          "found'.",
          &judge::compose},
    Check{"buildx", "buildx", "Newer builds of images need the plugin.", &judge::buildx},
    Check{"clock",
          "clock",
          "TLS, tokens and logs need the right time.",
          &judge::clock,
          {Part::machine}},
    Check{"names", "names", "Images are pulled from registries, whose names must be known here.",
          &judge::names},
    Check{"registry", "registries", "Images are pulled from registries, over HTTPS.",
          &judge::registry},
    Check{"sandbox", "sandbox",
          "Gantry runs strangers' programs in containers that have no network, no rights and "
          "limits for everything.",
          &judge::sandbox},
};

/// Whether an engine tells what this part would: the judges see to what it does not tell of others.
bool is_told_by_engine(Part part) { return part != Part::account && part != Part::access; }

/// Says of each command where it is to be run, unless that is here.
Finding placed(Finding finding, const Facts& facts) {
  if (facts.sight == Sight::here) return finding;
  for (auto& step : finding.remedy) {
    if (!step.command.empty()) step.what = fmt::format("on '{}': {}", facts.place, step.what);
  }
  return finding;
}

Finding judged(const Check& check, const Facts& facts) {
  for (auto part : check.parts) {
    if (facts.sight == Sight::engine && !is_told_by_engine(part)) {
      return {State::unseen, facts.unseen};
    }
    if (!facts.is_late(part)) continue;
    return {State::unseen, fmt::format("no answer in time from {}", words(part))};
  }
  return placed(check.judge(facts), facts);
}

}  // namespace

std::string_view word(State state) {
  switch (state) {
    case State::skipped:
      return "skipped";
    case State::unseen:
      return "unseen";
    case State::ok:
      return "ok";
    case State::note:
      return "note";
    case State::warning:
      return "warning";
    case State::failed:
      return "failed";
  }
  return "";
}

std::optional<State> parse_state(std::string_view text) {
  for (auto state :
       {State::skipped, State::unseen, State::ok, State::note, State::warning, State::failed}) {
    if (word(state) == text) return state;
  }
  return std::nullopt;
}

std::span<const Check> all_checks() { return table; }

State Report::worst() const {
  auto worst = State::ok;
  for (const auto& one : results) worst = std::max(worst, one.finding.state);
  return worst;
}

const Examined* Report::cause() const {
  auto found = std::ranges::find_if(
      results, [](const Examined& one) { return one.finding.state == State::failed; });
  return found == results.end() ? nullptr : &*found;
}

const Finding& Report::finding(std::string_view id) const {
  auto found = std::ranges::find(results, id, [](const Examined& one) { return one.check->id; });
  CHECK(found != results.end());
  return found->finding;
}

Report examine(Facts facts) {
  Report report{std::move(facts), {}};
  for (const auto& check : table) report.results.push_back({&check, judged(check, report.facts)});
  return report;
}

}  // namespace gantry::doctor
