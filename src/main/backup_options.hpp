#pragma once

#include "main/backup.hpp"
#include "main/command_line.hpp"

#include <CLI/CLI.hpp>

/// The grammar of `gantry backup` and `gantry restore`.
namespace gantry::main {

/// Adds both; `add_place` gives each the flags that say which database and which data directory.
void add_backups(CLI::App& app, Flags& flags, void (*add_place)(CLI::App&, Flags&));

/// Whether the command is one of the two, and then what it says.
bool is_backup(std::string_view command);
BackupCommand backup_command(const CommandLine& line, DatabaseOptions database);

}  // namespace gantry::main
