#pragma once

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/commands.hpp"

#include <functional>
#include <string>

namespace gantry::cli {

/// A file of this machine that is to be sent.
struct LocalFile {
  std::string content;
  enum class Mode { plain, executable } mode = Mode::plain;
};
/// Reads one, of at most 10 MiB.
Result<LocalFile> read_local_file(const std::string& path);

/// What the words of `gantry exec` mean. Empty: they are a program already.
enum class ProgramFrom { words, standard_input };
/// Where the program's text comes from: `gantry exec python -` reads it from standard input.
ProgramFrom program_from(const ExecCommand& command);

/// The body of `POST /api/v1/executions`. `read` gives the files that are named, `input` is what
/// came from standard input (the program's own input, or the program). Pure.
Result<json::Value> execution_request(
    const ExecCommand& command, const std::function<Result<LocalFile>(const std::string&)>& read,
    std::string input);

}  // namespace gantry::cli
