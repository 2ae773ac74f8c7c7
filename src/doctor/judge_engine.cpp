#include "doctor/judges.hpp"
#include "doctor/versions.hpp"
#include "engine/client.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::doctor::judge {
namespace {

constexpr const char* no_answer = "the engine did not answer";

bool answered(const Facts& facts) { return !facts.engine.error; }
Finding skipped() { return {State::skipped, no_answer}; }

/// What to do by the code of the engine's client (engine/client.hpp).
struct Remedy {
  std::string_view code;
  std::string_view what;
  std::string_view command;
};
constexpr std::array remedies{
    Remedy{"engine_not_running", "start the engine", "sudo systemctl start docker"},
    Remedy{"engine_permission_denied", "the lines above say which group is missing, and to whom",
           ""},
    Remedy{"engine_socket_missing", "the lines above say where the socket could be", ""},
    Remedy{"engine_timed_out", "the engine hangs; look at its log, then restart it",
           "sudo journalctl -u docker -n 50; sudo systemctl restart docker"},
    Remedy{"timed_out", "the engine hangs; look at its log, then restart it",
           "sudo journalctl -u docker -n 50; sudo systemctl restart docker"},
    Remedy{"engine_not_an_engine", "something else answers there: check the endpoint",
           "docker context ls"},
    Remedy{"engine_too_old", "upgrade the engine to Docker 20.10 or newer", ""},
};

std::vector<std::string> names_of(const std::vector<std::string>& options) {
  std::vector<std::string> names;
  for (const auto& option : options) {
    auto name = option.substr(option.starts_with("name=") ? 5 : 0);
    names.push_back(name.substr(0, name.find(',')));
  }
  return names;
}

}  // namespace

Finding engine(const Facts& facts) {
  const auto& its = facts.engine;
  if (answered(facts)) {
    auto flavour = its.has_security("rootless") ? ", rootless" : "";
    auto restart = its.live_restore ? "outlive" : "end with";
    return {State::ok, fmt::format("Docker {} on {}{}; containers {} a restart of it", its.version,
                                   its.os, flavour, restart)};
  }
  Finding finding{State::failed, its.error->message};
  for (const auto& remedy : remedies) {
    if (remedy.code != its.error->code) continue;
    finding.remedy = {{std::string{remedy.what}, std::string{remedy.command}}};
  }
  if (finding.remedy.empty()) {
    finding.remedy = {{its.error->remedy.empty() ? "check the endpoint" : its.error->remedy}};
  }
  return finding;
}

Finding api(const Facts& facts) {
  if (!answered(facts)) return skipped();
  const auto& its = facts.engine;
  return {State::ok,
          fmt::format("{} to {}; Gantry speaks {} to {}", its.oldest_api_version, its.api_version,
                      engine::oldest_api.text(), engine::newest_api.text())};
}

Finding versions(const Facts& facts) {
  if (!answered(facts)) return skipped();
  std::vector<std::string> older;
  bool repackaged = false;
  for (const auto& component : facts.engine.components) {
    auto known = known_fixes(component.name, component.version);
    if (known.state != Known::State::older) continue;
    older.push_back(
        fmt::format("{} {} (fixed in {})", component.name, component.version, known.fixed_in));
    repackaged = repackaged || is_repackaged(component.version);
  }
  if (older.empty()) return {State::ok, "engine, containerd and runc have the known fixes"};
  auto summary = fmt::format("known holes are open in {}", fmt::join(older, ", "));
  if (!repackaged) return {State::warning, std::move(summary), {{"upgrade the engine's packages"}}};
  return {State::note,
          summary + ", unless the distribution has ported the fixes back",
          {{"see what the packages say", "apt changelog docker.io runc containerd"}}};
}

Finding isolation(const Facts& facts) {
  if (!answered(facts)) return skipped();
  const auto& its = facts.engine;
  auto summary = fmt::format("{}", fmt::join(names_of(its.security_options), ", "));
  if (!its.has_security("seccomp")) {
    return {State::warning,
            "the engine filters no system calls: it has no seccomp",
            {{"install an engine that is built with it, on a kernel that has it",
              "grep SECCOMP= /boot/config-$(uname -r)"}}};
  }
  bool apart = its.has_security("userns") || its.has_security("rootless");
  if (apart) return {State::ok, std::move(summary)};
  return {State::note, summary + "; root in a container is root's id on the machine"};
}

Finding cgroups(const Facts& facts) {
  if (!answered(facts)) return skipped();
  const auto& its = facts.engine;
  auto summary = fmt::format("version {}, driver {}", its.cgroup_version, its.cgroup_driver);
  for (const auto& warning : its.warnings) {
    if (!warning.contains("No ") || !warning.contains("support")) continue;
    return {State::warning,
            fmt::format("{}; {}", summary, warning),
            {{"turn it on in the kernel's command line, for example "
              "'cgroup_enable=memory swapaccount=1', and restart"}}};
  }
  return {State::ok, std::move(summary)};
}

Finding storage(const Facts& facts) {
  if (!answered(facts)) return skipped();
  const auto& its = facts.engine;
  auto summary = fmt::format("{} in {}", its.storage_driver, its.data_root);
  if (its.storage_driver != "vfs" && its.storage_driver != "devicemapper") {
    return {State::ok, std::move(summary)};
  }
  return {State::warning,
          summary + ", which copies whole images",
          {{"let the engine use overlay2: back up, empty the data root, and set "
            "\"storage-driver\" in /etc/docker/daemon.json"}}};
}

Finding logs(const Facts& facts) {
  if (!answered(facts)) return skipped();
  const auto& its = facts.engine;
  bool bounded = its.log_driver != "json-file" || facts.logs_bounded.value_or(true);
  if (bounded) return {State::ok, fmt::format("driver {}", its.log_driver)};
  return {State::warning,
          "logs of containers grow without a bound",
          {{"set in /etc/docker/daemon.json: \"log-opts\": {\"max-size\": \"10m\", \"max-file\": "
            "\"3\"}; it holds for containers that are made afterwards",
            "sudo systemctl restart docker"}}};
}

}  // namespace gantry::doctor::judge
