#include "cli/named_files.hpp"

#include "cli/input.hpp"
#include "cli/unechoed.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace gantry::cli {
namespace {

using Kind = Parameter::Kind;

constexpr std::size_t file_max = 1U << 20U;

Result<std::string> read_text_file(const std::string& path) {
  auto refuse = [&](std::string_view cause) {
    return fail(ErrorKind::not_found, "no_file", fmt::format("cannot read '{}': {}", path, cause),
                "name another file");
  };
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  if (!file) return refuse(std::strerror(errno == 0 ? EIO : errno));
  std::string text(file_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  if (text.size() > file_max) return refuse("it is larger than 1 MiB");
  if (text.empty()) return refuse("it is empty, or no file");
  return text;
}

/// Those that are `-`.
std::vector<Parameter> from_standard_input(const RemoteCommand& command) {
  std::vector<Parameter> found;
  for (const auto& parameter : command.verb->parameters) {
    bool is_file = parameter.kind == Kind::file || parameter.kind == Kind::line;
    if (is_file && command.text(parameter.key) == "-") found.push_back(parameter);
  }
  return found;
}

std::unexpected<Error> only_one(const Parameter& first, const Parameter& second) {
  return fail(ErrorKind::invalid, "bad_usage",
              fmt::format("cannot read the command line: {} and {} are both '-', and standard "
                          "input holds one of them alone",
                          first.name, second.name),
              "name a file that holds the other");
}

async::task<Result<std::string>> read_password(Context& context, std::string_view name) {
  Unechoed unechoed{context.screen};
  if (unechoed.is_terminal()) {
    context.terminal.say(fmt::format("{}: type it, then Enter; it is not shown", name));
  }
  co_return co_await read_line(file_max);
}

}  // namespace

async::task<Result<ReadFile>> reader_of(Context& context, const RemoteCommand& command) {
  auto typed = from_standard_input(command);
  if (typed.empty()) co_return ReadFile{read_text_file};
  if (typed.size() > 1) co_return only_one(typed[0], typed[1]);
  auto input = typed[0].kind == Kind::line ? co_await read_password(context, typed[0].name)
                                           : co_await read_input(file_max);
  if (!input) co_return fail(input.error());
  co_return ReadFile{[input = std::move(*input)](const std::string& path) {
    return path == "-" ? Result<std::string>{input} : read_text_file(path);
  }};
}

}  // namespace gantry::cli
