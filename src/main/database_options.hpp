#pragma once

#include "async/task.hpp"
#include "main/settings.hpp"
#include "storage/database.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace gantry::main {

/// Which database.
struct DatabaseOptions {
  std::filesystem::path data_dir;
  std::string url;  ///< A file's path or `postgresql://…`; empty: in `data_dir`.
  /// Holds the password for PostgreSQL, so that it stands in no configuration; empty: none.
  std::filesystem::path password_file;
};

/// Opens it; see storage::open. Throws Failure, too: `password_unreadable` (invalid).
async::task<std::unique_ptr<storage::Database>> open_database(DatabaseOptions options);

/// The same of one that is there already: else Failure `no_database` (not_found), and none is made.
async::task<std::unique_ptr<storage::Database>> open_existing_database(DatabaseOptions options);

/// The first line of a file that holds a secret. Refused: invalid, `password_unreadable`.
Result<Secret> secret_line(const std::filesystem::path& file);

}  // namespace gantry::main
