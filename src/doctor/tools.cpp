#include "doctor/tools.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/process.hpp"
#include "async/race.hpp"
#include "base/text.hpp"

#include <charconv>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

namespace gantry::doctor {
namespace {

constexpr Milliseconds patience{2'000};
constexpr std::size_t said_max = 64U << 10U;

std::string found_in(std::string_view path, const std::string& program) {
  for (auto folder : text::split(path, ':')) {
    auto file = std::filesystem::path{folder} / program;
    std::error_code failed;
    if (!folder.empty() && std::filesystem::is_regular_file(file, failed)) return file.string();
  }
  return {};
}

async::task<Result<async::ProcessOutcome>> run(std::vector<std::string> argv,
                                               std::vector<std::string> env) {
  auto program = argv.front();
  auto ended = co_await async::attempt(async::with_deadline(
      patience, program, async::run_process({std::move(argv), std::move(env)}, said_max)));
  if (!ended) co_return fail(ended.error());
  co_return std::move(*ended);
}

/// `Docker version 20.10.24+dfsg1, build 297e128` and the like: the first word that has a digit
/// and a dot.
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

struct Asked {
  std::string program;
  std::vector<std::string> words;
  ToolFacts* into;
};

async::task<void> ask(Asked asked, std::string path, std::string docker_config) {
  auto file = found_in(path, asked.program);
  if (file.empty()) co_return;
  std::vector<std::string> argv{file};
  argv.insert(argv.end(), asked.words.begin(), asked.words.end());
  auto ended = co_await run(std::move(argv), {"PATH=" + path, "DOCKER_CONFIG=" + docker_config});
  if (!ended || !ended->status.success()) co_return;
  *asked.into = {.path = file, .version = version_in(ended->output)};
}

}  // namespace

async::task<Tools> look_for_tools(std::string path, std::string docker_config) {
  Tools tools;
  auto one = [&](std::string program, std::vector<std::string> words, ToolFacts& into) {
    return ask({std::move(program), std::move(words), &into}, path, docker_config);
  };
  co_await async::both(async::both(one("docker", {"--version"}, tools.docker),
                                   one("docker-compose", {"version"}, tools.compose_v1)),
                       async::both(one("docker", {"compose", "version"}, tools.compose_v2),
                                   one("docker", {"buildx", "version"}, tools.buildx)));
  co_return tools;
}

async::task<Result<Service>> find_service(std::string name, std::string path) {
  auto systemctl = found_in(path, "systemctl");
  if (systemctl.empty()) {
    co_return fail(ErrorKind::unavailable, "no_systemd",
                   fmt::format("cannot examine service '{}': there is no systemctl here", name),
                   "name its process with '--pid', or its account with '--user'");
  }
  auto asked = co_await run({systemctl, "show", "--property=MainPID", "--value", "--", name},
                            {"PATH=" + path});
  int pid = 0;
  if (asked && asked->status.success()) {
    auto said = text::trimmed(asked->output);
    std::from_chars(said.begin(), said.end(), pid);
  }
  if (pid == 0) {
    co_return fail(
        ErrorKind::not_found, "no_such_service",
        fmt::format("cannot examine service '{}': systemd knows no running process of it", name),
        fmt::format("look at it with 'systemctl status {}'", name));
  }
  co_return Service{pid, std::move(name)};
}

}  // namespace gantry::doctor
