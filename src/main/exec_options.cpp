#include "main/exec_options.hpp"

#include "cli/quantities.hpp"

#include <filesystem>
#include <utility>

#include <fmt/format.h>

namespace gantry::main {
namespace fs = std::filesystem;

Result<cli::ExecCommand> exec_command(const Flags& flags, Words program) {
  cli::ExecCommand command;
  command.image = flags.image.value_or("");
  command.words = std::move(program);
  for (const auto& text : flags.files) {
    auto colon = text.find(':');
    auto path = text.substr(0, colon);
    auto name = colon == text.npos ? fs::path{path}.filename().string() : text.substr(colon + 1);
    command.files.push_back({std::move(path), std::move(name)});
  }
  for (const auto& text : flags.env) {
    auto equals = text.find('=');
    if (equals == text.npos || equals == 0) {
      return fail(bad_usage(fmt::format("--env: '{}' is not NAME=VALUE", text),
                            "see 'gantry exec --help'"));
    }
    command.env.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  if (flags.input) command.input = cli::ExecCommand::Input::forwarded;
  if (flags.timeout) {
    auto time = cli::parse_duration(*flags.timeout);
    if (!time) {
      auto error = time.error();
      error.remedy += "; a terminal in a container is 'gantry exec -it CONTAINER'";
      return fail(std::move(error));
    }
    command.wall_time_ms = *time;
  }
  if (flags.memory) {
    auto size = cli::parse_size(*flags.memory);
    if (!size) return fail(size.error());
    command.memory_bytes = *size;
  }
  command.cpus = flags.cpus;
  command.pids = flags.pids;
  return command;
}

bool means_container(const Flags& flags) {
  return flags.tty || flags.in_container || flags.container_host || flags.user || flags.working_dir;
}

Result<cli::ContainerExecCommand> container_exec_command(const Flags& flags, Words words,
                                                         std::string term) {
  const auto* for_programs = flags.image            ? "--image"
                             : !flags.files.empty() ? "--file"
                             : flags.memory         ? "--memory"
                             : flags.cpus           ? "--cpus"
                             : flags.pids           ? "--pids"
                                                    : nullptr;
  constexpr auto* help = "see 'gantry exec --help'";
  if (for_programs != nullptr) {
    return fail(bad_usage(fmt::format("{} is for programs in a sandbox, and -it, --container, "
                                      "--host, --user and --workdir are for containers",
                                      for_programs),
                          help));
  }
  if (words.empty()) return fail(bad_usage("no container is named", help));
  auto plain = exec_command(flags, {});
  if (!plain) return fail(plain.error());
  if (flags.tty && plain->wall_time_ms) {
    return fail(bad_usage("a terminal has no --timeout", help));
  }
  cli::ContainerExecCommand command;
  command.format = flags.json ? cli::Format::json : cli::Format::text;
  command.host = flags.container_host.value_or("");
  command.container = std::move(words.front());
  command.words.assign(words.begin() + 1, words.end());
  command.env = std::move(plain->env);
  command.user = flags.user.value_or("");
  command.working_dir = flags.working_dir.value_or("");
  if (flags.input) command.input = cli::ContainerExecCommand::Input::forwarded;
  if (flags.tty) command.screen = cli::ContainerExecCommand::Screen::terminal;
  command.wall_time_ms = plain->wall_time_ms;
  command.term = std::move(term);
  return command;
}

}  // namespace gantry::main
