#pragma once

#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/remote.hpp"
#include "main/audit_verify.hpp"
#include "main/backup.hpp"
#include "main/serve_options.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

/// What the command line, the environment and the configuration file say together.
namespace gantry::main {

/// The world that options are read from; only gantry.cpp fills it from the real one.
struct Surroundings {
  std::map<std::string, std::string, std::less<>> variables;
  std::function<bool(const std::filesystem::path&)> exists;
  /// Whether it is a regular file (or a link to one).
  std::function<bool(const std::filesystem::path&)> is_file;
  /// A file's text; nothing when it can not be read.
  std::function<Result<std::string>(const std::filesystem::path&)> read;
};

/// Help, completion scripts and the like: printed, and that is all.
struct Shown {
  std::string text;
};

struct Invocation {
  std::variant<Shown, ServeOptions, cli::ExecCommand, cli::ContainerExecCommand, cli::RemoteCommand,
               cli::McpCommand, cli::ImagesCommand, cli::VersionCommand, cli::DoctorCommand,
               AuditVerifyCommand, BackupCommand>
      command;
};

/// Reads everything: flags win over GANTRY_* variables, those over gantry.toml, that over the
/// defaults. `arguments` are without the program's own name. Errors are of kind invalid.
Result<Invocation> read_options(std::vector<std::string> arguments, const Surroundings& world);

}  // namespace gantry::main
