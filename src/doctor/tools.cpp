#include "doctor/tools.hpp"

#include "async/aside.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/process.hpp"
#include "async/race.hpp"
#include "base/text.hpp"
#include "doctor/files.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <vector>

#include <fmt/format.h>

namespace gantry::doctor {
namespace {

constexpr std::size_t said_max = 64U << 10U;

Milliseconds left_until(SteadyTime end) {
  auto left = std::chrono::duration_cast<Milliseconds>(end - steady_now());
  return std::max(left, Milliseconds{1});
}

async::task<Result<async::ProcessOutcome>> run(std::vector<std::string> argv,
                                               std::vector<std::string> env, Milliseconds limit) {
  auto program = argv.front();
  auto ended = co_await async::attempt(async::with_deadline(
      limit, program, async::run_process({std::move(argv), std::move(env)}, said_max)));
  if (!ended) co_return fail(ended.error());
  co_return std::move(*ended);
}

/// The folders of PATH may lie on a mount that hangs.
template <class Look>
async::task<Result<std::invoke_result_t<Look>>> search(std::string path, Milliseconds limit,
                                                       Look look) {
  auto doing = fmt::format("looking for programs in '{}'", path);
  co_return co_await async::attempt(async::aside(limit, std::move(doing), std::move(look)));
}

/// Where the programs are; empty: nowhere.
struct Programs {
  std::string docker;
  std::string compose_v1;
  bool rootless = false;
};

Programs programs_in(const std::string& path) {
  return {.docker = found_in(path, "docker"),
          .compose_v1 = found_in(path, "docker-compose"),
          .rootless = !found_in(path, "dockerd-rootless.sh").empty()};
}

struct Asked {
  std::string program;
  std::vector<std::string> words;
  ToolFacts* into;
};

async::task<void> ask(Asked asked, std::vector<std::string> env, Milliseconds limit) {
  if (asked.program.empty()) co_return;
  std::vector<std::string> argv{asked.program};
  argv.insert(argv.end(), asked.words.begin(), asked.words.end());
  auto ended = co_await run(std::move(argv), std::move(env), limit);
  bool silent = !ended && ended.error().kind == ErrorKind::timed_out;
  if (silent) *asked.into = {.path = asked.program, .version = {}, .silent = true};
  if (!ended || !ended->status.success()) co_return;
  *asked.into = {.path = asked.program, .version = version_in(ended->output)};
}

/// From lines `MainPID=812`; nothing where systemd knows of no such service.
std::optional<Service> service_in(std::string_view said) {
  std::map<std::string_view, std::string_view> told;
  for (auto line : text::split(said, '\n')) {
    auto at = line.find('=');
    if (at != line.npos) told[line.substr(0, at)] = text::trimmed(line.substr(at + 1));
  }
  auto main = told["MainPID"];  // Other units than services have none.
  Service service;
  auto [end, failed] = std::from_chars(main.begin(), main.end(), service.pid);
  bool known = failed == std::errc{} && (service.pid > 0 || told["LoadState"] == "loaded");
  if (!known) return std::nullopt;
  service.account = {.user = std::string{told["User"]},
                     .group = std::string{told["Group"]},
                     .dynamic = told["DynamicUser"] == "yes"};
  for (auto group : text::split(told["SupplementaryGroups"], ' ')) {
    if (!group.empty()) service.account.groups.emplace_back(group);
  }
  return service;
}

/// Without another name an account of DynamicUser= is called as its unit is, or its template.
std::string account_of_unit(std::string_view unit) {
  constexpr std::string_view suffix = ".service";
  if (unit.ends_with(suffix)) unit.remove_suffix(suffix.size());
  return std::string{unit.substr(0, unit.find('@'))};
}

}  // namespace

std::string version_in(std::string_view said) {
  auto line = text::split(said, '\n').front();
  for (auto word : text::split(line, ' ')) {
    if (word.starts_with('v')) word.remove_prefix(1);
    if (word.ends_with(',')) word.remove_suffix(1);
    bool digit = !word.empty() && word.front() >= '0' && word.front() <= '9';
    if (digit && word.contains('.')) return text::one_line(word);
  }
  return {};
}

async::task<Tools> look_for_tools(std::string path, std::string docker_config, Milliseconds limit) {
  auto end = steady_now() + limit;
  auto found = co_await search(path, limit, [path] { return programs_in(path); });
  Tools tools;
  if (!found) {
    tools.docker.silent = tools.compose_v2.silent = true;
    co_return tools;
  }
  tools.rootless_installed = found->rootless;
  auto left = left_until(end);
  std::vector<std::string> env{"PATH=" + path, "DOCKER_CONFIG=" + docker_config};
  auto one = [&](const std::string& program, std::vector<std::string> words, ToolFacts& into) {
    return ask({program, std::move(words), &into}, env, left);
  };
  co_await async::both(async::both(one(found->docker, {"--version"}, tools.docker),
                                   one(found->compose_v1, {"version"}, tools.compose_v1)),
                       async::both(one(found->docker, {"compose", "version"}, tools.compose_v2),
                                   one(found->docker, {"buildx", "version"}, tools.buildx)));
  co_return tools;
}

async::task<Result<Service>> find_service(std::string name, std::string path, Milliseconds limit) {
  auto end = steady_now() + limit;
  auto systemctl = co_await search(path, limit, [path] { return found_in(path, "systemctl"); });
  if (!systemctl) {
    co_return fail(ErrorKind::timed_out, "path_timed_out",
                   fmt::format("cannot examine service '{}': {}", name, systemctl.error().message),
                   "name its process with '--pid', or its account with '--user'");
  }
  if (systemctl->empty()) {
    co_return fail(ErrorKind::unavailable, "no_systemd",
                   fmt::format("cannot examine service '{}': there is no systemctl here", name),
                   "name its process with '--pid', or its account with '--user'");
  }
  constexpr const char* wanted =
      "--property=MainPID,LoadState,User,Group,DynamicUser,SupplementaryGroups";
  auto asked =
      co_await run({*systemctl, "show", wanted, "--", name}, {"PATH=" + path}, left_until(end));
  if (!asked && asked.error().kind == ErrorKind::timed_out) {
    co_return fail(ErrorKind::timed_out, "systemd_timed_out",
                   fmt::format("cannot examine service '{}': systemd does not answer", name),
                   "name its process with '--pid', or its account with '--user'");
  }
  auto service = asked && asked->status.success() ? service_in(asked->output) : std::nullopt;
  if (!service) {
    co_return fail(
        ErrorKind::not_found, "no_such_service",
        fmt::format("cannot examine service '{}': systemd has loaded none of this name", name),
        "list them with 'systemctl list-units --all --type=service'");
  }
  if (service->account.dynamic && service->account.user.empty()) {
    service->account.user = account_of_unit(name);
  }
  service->unit = std::move(name);
  co_return std::move(*service);
}

}  // namespace gantry::doctor
