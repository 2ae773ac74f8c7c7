#pragma once

#include "base/error.hpp"
#include "cli/completion.hpp"
#include "cli/remote.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// The grammar of the command line; what the words mean is decided in options.cpp.
namespace gantry::main {

using Words = std::vector<std::string>;
using OptionalText = std::optional<std::string>;

/// What was given to `gantry doctor`.
struct DoctorFlags {
  bool deep = false;
  bool fix = false;
  bool dry_run = false;
  bool yes = false;
  OptionalText gid;
  OptionalText env_file;
  OptionalText pid;
  OptionalText service;
  OptionalText user;
  OptionalText engine;
};

/// What was given; absent: the flag was not.
struct Flags {
  OptionalText config;
  Words listen;
  OptionalText data_dir;
  OptionalText database;
  OptionalText engine;
  bool anonymous_execute = false;
  bool new_secret_key = false;
  OptionalText tls_certificate;
  OptionalText tls_key;
  Words allowed_hosts;
  Words allowed_origins;
  Words trusted_proxies;
  OptionalText log_level;
  OptionalText log_format;
  OptionalText executions_max;
  OptionalText queue_max;
  std::map<std::string, OptionalText> executions;  ///< By the keys of `execution_settings`.
  std::map<std::string, OptionalText> oidc;        ///< By the keys of `oidc_settings`.
  OptionalText server;
  OptionalText token_file;
  OptionalText context;
  bool json = false;

  OptionalText image;
  bool tty = false;
  bool in_container = false;
  OptionalText container_host;
  OptionalText user;
  OptionalText working_dir;
  Words files;
  Words env;
  bool input = false;
  OptionalText timeout;
  OptionalText memory;
  std::optional<double> cpus;
  std::optional<std::int64_t> pids;

  Words program;
  Words recipes;
  OptionalText backup_file;
  OptionalText passphrase_file;
  bool force = false;
  std::string shell;
  DoctorFlags doctor;
  std::map<std::string, std::map<std::string, Words>> given;  ///< Of each of `cli::verbs()`.
};

struct CommandLine {
  /// Help or a version that was asked for: to be printed, and that is all.
  OptionalText shown;
  std::string command;  ///< `serve`, `images`
  std::string action;   ///< `make` of `images make`
  Flags flags;
  Words program;  ///< What `gantry exec` is to run: not ours to read.
  std::vector<cli::CommandShape> shapes;
};

/// Reads arguments (without the program's own name). Refuses (invalid, `bad_usage`) what is not
/// known.
Result<CommandLine> read_command_line(Words arguments);
/// A mistake on the command line.
Error bad_usage(std::string cause, std::string remedy);

}  // namespace gantry::main
