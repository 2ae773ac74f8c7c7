#include "doctor/far.hpp"
#include "doctor/findings.hpp"
#include "doctor/judges.hpp"
#include "doctor/services.hpp"
#include "doctor/versions.hpp"
#include "engine/client.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::doctor::judge {
namespace {

/// A log file of this size is worth a word.
constexpr std::uint64_t log_large = 1'000'000'000;

bool answered(const Facts& facts) { return !facts.engine.error; }
bool was_asked(const EngineFacts& engine) {
  return !engine.error || engine.error->code != engine_not_asked;
}
Finding not_told() { return unseen("the engine did not answer"); }

/// What to do by the code of the engine's client (engine/client.hpp).
struct Remedy {
  std::string_view code;
  std::string_view what;
  std::string_view EngineCommands::* command = nullptr;
};
constexpr std::array remedies{
    Remedy{"engine_not_running", "start the engine", &EngineCommands::start},
    Remedy{"engine_permission_denied", "the lines above say which group is missing, and to whom"},
    Remedy{"engine_socket_missing", "the lines above say where the socket could be"},
    Remedy{"engine_timed_out", "ask again in a moment, since it may be starting"},
    Remedy{"engine_timed_out", "see in the engine's log why it hangs", &EngineCommands::log},
    Remedy{"engine_timed_out", "then restart it", &EngineCommands::restart},
    Remedy{"timed_out", "ask again in a moment, since it may be starting"},
    Remedy{"timed_out", "see in the engine's log why it hangs", &EngineCommands::log},
    Remedy{"timed_out", "then restart it", &EngineCommands::restart},
    Remedy{"engine_not_an_engine", "something else answers there: check the endpoint"},
    Remedy{"engine_too_old", "upgrade the engine to Docker 20.10 or newer"},
};

Step step_of(const Facts& facts, const Remedy& remedy) {
  std::string what{remedy.what};
  if (remedy.command == nullptr) return {std::move(what)};
  if (remedy.command == &EngineCommands::restart) return with_restart(facts, std::move(what));
  if (facts.engine_is_outside()) return {what + ", on the machine itself"};
  return {std::move(what), engine_command(facts, remedy.command)};
}

/// An engine that starts anew makes a new socket, and a container keeps the old one.
std::vector<Step> remedy_outside() {
  return {{"make this container anew, on the machine itself: it still has the socket of an engine "
           "that has ended",
           "docker compose up -d --force-recreate"},
          {"or start the engine on that machine, where it does not run"}};
}

/// The commands are those of the engine whose socket is here.
std::vector<Step> remedy_of(const Facts& facts, const Error& error) {
  std::vector<Step> steps;
  bool nobody_listens = error.code == "engine_not_running" && facts.socket;
  if (nobody_listens && facts.engine_is_outside()) return remedy_outside();
  if (nobody_listens && !facts.engine_installed && facts.sight == Sight::here) {
    return {{"no engine is installed, install one (Debian, Ubuntu)", "sudo apt install docker.io"}};
  }
  for (const auto& remedy : remedies) {
    if (remedy.code != error.code || (remedy.command != nullptr && !facts.socket)) continue;
    steps.push_back(step_of(facts, remedy));
  }
  if (steps.empty()) steps.push_back({error.remedy.empty() ? "check the endpoint" : error.remedy});
  const auto& variable = facts.endpoint.variable;
  bool misleads = !facts.socket && !facts.is_late(Part::access) && facts.sight == Sight::here;
  if (misleads && !variable.empty()) {
    steps.push_back({"or take the setting away", fmt::format("unset {}", variable)});
  }
  return steps;
}

/// Who looks on behalf of somebody else may not be let in where that one is.
bool is_only_closed_to_us(const Facts& facts) {
  const auto* socket = facts.usable_socket();
  const auto& who = facts.subject;
  return facts.engine.error->code == "engine_permission_denied" &&
         who.kind == Subject::Kind::other && socket != nullptr &&
         may_connect(*socket, who.uid, who.groups());
}

std::vector<std::string> names_of(const std::vector<std::string>& options) {
  std::vector<std::string> names;
  for (const auto& option : options) {
    auto name = option.substr(option.starts_with("name=") ? 5 : 0);
    names.push_back(name.substr(0, name.find(',')));
  }
  return names;
}

/// `WARNING: No swap limit support`
bool is_about_limits(const std::string& warning) {
  return warning.contains("No ") && warning.contains("support");
}

std::string_view without_mark(std::string_view warning) {
  constexpr std::string_view mark = "WARNING: ";
  if (warning.starts_with(mark)) warning.remove_prefix(mark.size());
  return warning;
}

/// What the engine says of itself and no other row judges.
std::vector<std::string_view> other_warnings(const EngineFacts& engine) {
  std::vector<std::string_view> out;
  for (const auto& warning : engine.warnings) {
    bool judged = is_about_limits(warning) || warning.contains("API is accessible on http://");
    auto first = std::string_view{warning}.substr(0, warning.find('\n'));
    if (!judged) out.push_back(without_mark(first));
  }
  return out;
}

/// Whose versions tell of holes (versions.cpp).
constexpr std::array<std::string_view, 3> compared{"Engine", "containerd", "runc"};

/// What their versions come to, each as people are told.
struct Compared {
  std::vector<std::string> fixed;
  std::vector<std::string> open;
  /// Built by a distribution, which may have ported the fixes back.
  std::vector<std::string> perhaps;
  std::vector<std::string> unknown;
};

Compared compare(const std::vector<EngineFacts::Component>& components) {
  Compared out;
  for (auto name : compared) {
    auto its = std::ranges::find(components, name, &EngineFacts::Component::name);
    if (its == components.end()) {
      out.unknown.emplace_back(name);
      continue;
    }
    auto known = known_fixes(name, its->version);
    auto text = fmt::format("{} {}", name, its->version);
    if (known.state == Known::State::unknown) {
      out.unknown.push_back(std::move(text));
    } else if (known.state == Known::State::fixed) {
      out.fixed.push_back(std::move(text));
    } else {
      text += fmt::format(" (fixed in {})", known.fixed_in);
      (is_repackaged(its->version) ? out.perhaps : out.open).push_back(std::move(text));
    }
  }
  return out;
}

State state_of(const Compared& all) {
  if (!all.open.empty()) return State::warning;
  if (!all.perhaps.empty()) return State::note;
  return all.fixed.empty() ? State::unseen : State::ok;
}

/// Containers have the engine's filter of system calls unless they ask for another.
bool is_unconfined(const std::string& option) {
  return option.starts_with("name=seccomp") && option.contains("profile=unconfined");
}

/// `fbb7438b8432` of `…/fbb7438b8432…/fbb7438b8432…-json.log`
std::string container_of(const std::string& log) {
  constexpr std::size_t short_id = 12;
  auto name = std::string_view{log}.substr(log.rfind('/') + 1);
  return std::string{name.substr(0, std::min(short_id, name.find('-')))};
}

/// `12.3 MB`
std::string size_text(std::uint64_t bytes) {
  constexpr std::array units{"bytes", "kB", "MB", "GB", "TB"};
  auto number = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; number >= 1000 && unit + 1 < units.size(); ++unit) number /= 1000;
  return fmt::format("{:.{}f} {}", number, unit == 0 ? 0 : 1, units.at(unit));
}

/// What lets the kernel limit the containers of a machine.
Step switch_on() {
  return {
      "turn it on in the kernel's command line, for example "
      "'cgroup_enable=memory swapaccount=1', and restart the machine"};
}
/// The same of a user's own engine.
Step delegate_all() {
  return {"let systemd give all of it to the services of users, and log in anew",
          "sudo mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu "
          "cpuset io memory pids\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf "
          "&& sudo systemctl daemon-reload"};
}

}  // namespace

Finding engine(const Facts& facts) {
  const auto& its = facts.engine;
  if (answered(facts)) {
    auto flavour = its.has_security("rootless") ? ", rootless" : "";
    auto restart = its.live_restore ? "outlive a restart of it (live-restore)"
                                    : "end when it is restarted (no live-restore)";
    auto summary =
        fmt::format("Docker {} on {}{}; containers {}", its.version, its.os, flavour, restart);
    auto warnings = other_warnings(its);
    if (warnings.empty()) return fine(std::move(summary));
    return note(fmt::format("{}; it warns: {}", summary, fmt::join(warnings, "; ")));
  }
  if (!was_asked(its)) return unseen(its.error->message);
  bool nothing_there = facts.endpoint.wrong || (facts.endpoint.tls && facts.endpoint.tls->wrong) ||
                       (facts.socket && facts.usable_socket() == nullptr);
  if (nothing_there) return unseen("there is nothing that could be asked");
  if (is_only_closed_to_us(facts)) {
    return unseen("not asked: who looks may not connect; with sudo it can be asked");
  }
  return failed(its.error->message, remedy_of(facts, *its.error));
}

Finding api(const Facts& facts) {
  if (!answered(facts)) return not_told();
  const auto& its = facts.engine;
  return fine(fmt::format("{} to {}; Gantry speaks {} to {}", its.oldest_api_version,
                          its.api_version, engine::oldest_api.text(), engine::newest_api.text()));
}

Finding versions(const Facts& facts) {
  if (!answered(facts)) return not_told();
  auto all = compare(facts.engine.components);
  Finding finding{state_of(all), {}};
  std::vector<std::string> parts;
  if (!all.open.empty()) {
    parts.push_back(fmt::format("known holes are open in {}", fmt::join(all.open, ", ")));
    finding.remedy.push_back({"upgrade the engine's packages"});
  }
  if (!all.perhaps.empty()) {
    parts.push_back(
        fmt::format("known holes are open in {}, unless the distribution has ported the fixes back",
                    fmt::join(all.perhaps, ", ")));
    finding.remedy.push_back(
        {"see what the packages say (Debian, Ubuntu)", "apt changelog docker.io runc containerd"});
  }
  if (!all.fixed.empty()) {
    parts.push_back(fmt::format("the known fixes are in {}", fmt::join(all.fixed, ", ")));
  }
  if (!all.unknown.empty()) {
    parts.push_back(fmt::format("nothing is known of {}", fmt::join(all.unknown, ", ")));
  }
  finding.summary = fmt::format("{}", fmt::join(parts, "; "));
  return finding;
}

Finding rootless(const Facts& facts) {
  const auto& its = facts.rootless;
  bool used = answered(facts) ? facts.engine.has_security("rootless") : its.in_force;
  if (used) return fine("the engine in force runs without root");
  if (!its.socket.empty()) {
    auto summary = fmt::format("one listens at '{}', and is not the one in force", its.socket);
    if (facts.sight == Sight::far) {
      return note(std::move(summary), {name_in_endpoint(facts.endpoint, its.socket)});
    }
    Finding finding{
        State::note,
        std::move(summary),
        {{"use it", fmt::format("export DOCKER_HOST={}", shell_word("unix://" + its.socket))}}};
    if (!its.runtime_folder) {
      finding.summary += "; XDG_RUNTIME_DIR is not set here, as after 'su' or for cron";
      finding.remedy.push_back(
          {"log in properly, or say where it is", "export XDG_RUNTIME_DIR=/run/user/$(id -u)"});
    }
    return finding;
  }
  if (!its.installed) return skipped("no engine runs without root here");
  if (facts.subject.uid == root) return skipped("it is installed, and not for root");
  if (answered(facts)) return fine("it is installed, and another engine is in force");
  return note("it is installed, and does not run for this user",
              {{"set it up, as that user", "dockerd-rootless-setuptool.sh install"},
               {"and start it", "systemctl --user start docker"}});
}

Finding isolation(const Facts& facts) {
  if (!answered(facts)) return not_told();
  const auto& its = facts.engine;
  auto summary = fmt::format("{}", fmt::join(names_of(its.security_options), ", "));
  if (!its.has_security("seccomp")) {
    return warning("the engine filters no system calls: it has no seccomp",
                   {{"install an engine that is built with it, on a kernel that has it",
                     "grep SECCOMP= /boot/config-$(uname -r)"}});
  }
  if (std::ranges::any_of(its.security_options, is_unconfined)) {
    return warning(
        summary +
            "; no system calls are filtered: the engine's seccomp profile is "
            "'unconfined'",
        {with_restart(facts, fmt::format("take \"seccomp-profile\" out of {}, or the option "
                                         "out of the engine's command line, and restart it",
                                         settings_file(facts)))});
  }
  if (facts.apparmor_in_kernel && facts.socket && !its.has_security("apparmor") &&
      !its.has_security("rootless")) {
    return warning(
        summary + "; the kernel has AppArmor, and the engine does not use it",
        {with_restart(facts, "install its tools (Debian, Ubuntu), and restart the engine",
                      "sudo apt install apparmor && ")});
  }
  bool apart = its.has_security("userns") || its.has_security("rootless");
  if (apart) return fine(std::move(summary));
  return note(summary + "; without userns-remap root in a container is root's id on the machine");
}

Finding cgroups(const Facts& facts) {
  if (!answered(facts)) return not_told();
  const auto& its = facts.engine;
  auto summary = fmt::format("version {}, driver {}", its.cgroup_version, its.cgroup_driver);
  auto lacks = std::ranges::find_if(its.warnings, is_about_limits);
  if (lacks != its.warnings.end()) {
    return warning(fmt::format("{}; {}", summary, without_mark(*lacks)),
                   {its.has_security("rootless") ? delegate_all() : switch_on()});
  }
  if (its.cgroup_version != "1") return fine(std::move(summary));
  return note(summary + "; version 1 is what newer engines and systemd leave behind",
              {{"boot with version 2: 'systemd.unified_cgroup_hierarchy=1' in the kernel's command "
                "line"}});
}

Finding storage(const Facts& facts) {
  if (!answered(facts)) return not_told();
  const auto& its = facts.engine;
  auto summary = fmt::format("{} in {}", its.storage_driver, its.data_root);
  if (its.storage_driver != "vfs" && its.storage_driver != "devicemapper") {
    return fine(std::move(summary));
  }
  return warning(summary + ", which copies whole images",
                 {{fmt::format("let the engine use overlay2: back up, empty the data root, and set "
                               "\"storage-driver\" in {}",
                               settings_file(facts))}});
}

Finding logs(const Facts& facts) {
  if (!answered(facts)) return not_told();
  const auto& its = facts.engine;
  auto summary = fmt::format("driver {}", its.log_driver);
  const auto& files = facts.container_logs;
  if (files && files->files > 0) {
    summary += fmt::format(", {} in {}{} files, the largest {} of container {}",
                           size_text(files->bytes), files->whole ? "" : "the first ", files->files,
                           size_text(files->largest_bytes), container_of(files->largest));
  }
  bool bounded = its.log_driver != "json-file" || facts.logs_bounded.value_or(true);
  bool large = files && files->largest_bytes >= log_large;
  bool unknown = its.log_driver == "json-file" && !facts.logs_bounded && !large;
  if (unknown) return unseen(summary + "; its bounds can not be seen from here");
  if (bounded && !large) return fine(std::move(summary));
  Finding finding{State::warning, summary};
  if (!bounded) {
    finding.summary = "logs of containers grow without a bound; " + summary;
    finding.remedy = {with_restart(
        facts, fmt::format("for containers that are made afterwards, set in {}: \"log-opts\": "
                           "{{\"max-size\": \"10m\", \"max-file\": \"3\"}}; then restart the "
                           "engine",
                           settings_file(facts)))};
  }
  if (large) {
    finding.remedy.push_back({"empty the largest, once nobody needs what is in it",
                              fmt::format("sudo truncate -s 0 {}", shell_word(files->largest))});
  }
  return finding;
}

}  // namespace gantry::doctor::judge
