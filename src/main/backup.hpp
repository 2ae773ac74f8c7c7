#pragma once

#include "main/database_options.hpp"
#include "storage/backup.hpp"

#include <filesystem>
#include <string>

namespace gantry::main {

/// `gantry backup FILE` and `gantry restore FILE`: they open the database themselves, so no server
/// may be using it.
struct BackupCommand {
  enum class Action { backup, restore } action = Action::backup;
  DatabaseOptions database;
  std::filesystem::path file;
  /// Holds the passphrase that the data directory's keys are sealed with; empty: without keys.
  std::filesystem::path passphrase_file;
  storage::Replace replace = storage::Replace::refused;
};

/// Does it and says so on standard output. Answers the exit code; what went wrong has been said on
/// standard error.
int back_up(const BackupCommand& command);

}  // namespace gantry::main
