#pragma once

#include "async/descriptor.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

/// A whole database as one file that any kind of database can be restored from: lines of JSON
/// (docs/protocols/backup.md).
namespace gantry::storage {

/// What a backup says of itself.
struct BackupHead {
  std::string program;  ///< The version that wrote it.
  WallTime made_at;
  /// The version of each component's tables.
  std::map<std::string, std::int64_t> schema;
  /// What else its writer put in, sealed; empty: nothing.
  std::string sealed;
};

/// How many rows of each table were written or read.
using BackupRows = std::map<std::string, std::int64_t>;

/// Whether a file that is there, or what a database holds, may go.
enum class Replace { refused, allowed };

/// Writes everything `database` holds, as it is at one moment, to `file` (0600): beside it first,
/// and under its name when it is complete and on the disk, so that there is never half of one.
/// Only `program`, `made_at` and `sealed` of `head` are asked for. Other transactions wait
/// meanwhile. Throws Failure `already_exists`, `backup_unwritable`.
async::task<BackupRows> write_backup(Database& database, std::filesystem::path file,
                                     BackupHead head, Replace replace);

/// The same as a file without a name in `folder`, to be read from its beginning: nothing is left
/// of it when it is closed, however the process ends. Throws Failure `backup_unwritable`.
async::task<async::Descriptor> nameless_backup(Database& database, std::filesystem::path folder,
                                               BackupHead head);

/// Reads `file` to its end and says what it is. Refused (invalid, `bad_backup`): not a backup, cut
/// short, changed, or of a format that this program does not know.
Result<BackupHead> check_backup(const std::filesystem::path& file);

/// Whether nobody has used the database yet: it has no tables.
async::task<bool> is_empty(Database& database);

/// Fills the tables, which have been brought up to date, with what a checked backup holds, in one
/// transaction: all of it or nothing. What the tables held goes. Throws Failure `backup_older` or
/// `backup_newer` (conflict) when the tables are of other versions than the backup's.
async::task<BackupRows> restore_backup(Database& database, std::filesystem::path file);

}  // namespace gantry::storage
