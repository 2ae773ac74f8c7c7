#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "sandbox/languages.hpp"
#include "sandbox/policy_bounds.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gantry::sandbox {

/// One file that is put below /box before the program starts.
struct File {
  std::string path;  ///< Relative, without `.`, `..` and empty components.
  std::string content;
  enum class Mode { plain, executable } mode = Mode::plain;
};

/// What is run before the program, in the same container and over the same files.
struct Compile {
  std::vector<std::string> command;
  Milliseconds wall_time{10'000};
  Milliseconds cpu_time{10'000};
};

/// What is to be run: everything resolved, nothing left to guess.
struct Program {
  std::string language;  ///< Empty when an image with a command was asked for.
  std::string image;     ///< The image asked for.
  std::optional<Compile> compile;
  std::vector<std::string> command;
  std::string working_dir;  ///< Below /box; empty for /box itself.
  std::vector<File> files;
  std::string entry;  ///< Which of them is the program itself; empty without a language.
  std::vector<std::pair<std::string, std::string>> env;
  std::string input;  ///< Its standard input.
};

/// How much of everything a program may bring.
struct ProgramLimits {
  std::size_t source_max = 1U << 20U;
  std::size_t files_max = 256;
  std::size_t files_bytes_max = 10U << 20U;
  std::size_t input_max = 10U << 20U;
  std::size_t args_max = 256;
  std::size_t env_max = 256;
  std::size_t text_max = 32U << 10U;   ///< One argument or one variable.
  std::size_t exec_max = 192U << 10U;  ///< Arguments and variables together.
};
inline constexpr ProgramLimits program_limits;

/// Reads the program's fields of a request (`language` or `image` with `command`, `source`,
/// `files`, `entry`, `args`, `env`, `stdin`, `working_dir`, `compile_limits`). The caller's
/// `fields` collects what is wrong.
Program read_program(json::Fields& fields, const Languages& languages = shipped_languages(),
                     const PolicyBounds& bounds = {});

/// A program and what it runs under.
struct Submission {
  Program program;
  Policy policy;
};
/// Reads the program's fields and `limits`, whose defaults suit the program's language.
Submission read_submission(json::Fields& fields, const Languages& languages,
                           const PolicyBounds& bounds);

/// The entry file's content; empty without one.
std::string entry_content(const Program& program);

/// A path that stays below /box: relative, at most 512 bytes, components without `..` or NUL.
Result<> check_file_path(const std::string& path);

}  // namespace gantry::sandbox
