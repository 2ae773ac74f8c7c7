#pragma once

#include "async/task.hpp"
#include "executions/packing.hpp"
#include "executions/record.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The table of executions: how they come, end and are read.
namespace gantry::executions::store {

/// Makes the tables, or brings them up to date.
async::task<void> migrate(storage::Database& database);

/// A request that can be repeated without being done again: its key, and what it was.
struct Repeatable {
  std::string owner;       ///< Their account,
  std::string owner_name;  ///< and their name, by which earlier versions kept keys.
  std::string key;
  std::string fingerprint;
  std::string target;  ///< The execution or the batch it made,
  /// and the executions of that batch, each in its program's place, which is empty for a program
  /// that was refused. Earlier versions kept none, or no empty places.
  std::vector<ExecutionId> members;
  WallTime expires_at;
};
/// What an earlier request of that owner and key made, if that is still known.
async::task<std::optional<Repeatable>> repeated(storage::Database& database, Repeatable asked,
                                                WallTime now);

/// A new record, with its program where that is going to wait.
struct Fresh {
  Record record;
  std::optional<Packed> waiting;
};
/// All of them or none. With a key that somebody else has used meanwhile: none, and the answer is
/// what they made.
async::task<std::optional<Repeatable>> insert(storage::Database& database, std::vector<Fresh> fresh,
                                              std::optional<Repeatable> key, WallTime now);

/// Programs that wait no longer: from here on they have begun.
async::task<void> claim(storage::Database& database, std::vector<ExecutionId> ids);

/// A program that was claimed and has not begun waits again.
async::task<void> put_back(storage::Database& database, ExecutionId id, Packed program);
/// Ends one that waits, which this process will not run any more, as cancelled; false when none of
/// that id waits.
async::task<bool> cancel_waiting(storage::Database& database, ExecutionId id, std::string message,
                                 WallTime now);

/// The streams that are in files instead of the row; bits.
enum : unsigned {
  output_in_file = 1,
  errors_in_file = 2,
  compile_output_in_file = 4,
  compile_errors_in_file = 8,
  artifacts_in_files = 16
};

/// Whether a record is in the table before its end is written.
enum class Row { absent, present };
/// Adds the outcome and what the program wrote, but for what `in_files` says; a record that has its
/// verdict stays as it is. In the same step `claimed` wait no longer.
async::task<void> finish(storage::Database& database, Record record, unsigned in_files,
                         std::vector<ExecutionId> claimed, Row row = Row::present);

/// The whole record but for what is in files, and which that is; nothing when there is none.
async::task<std::optional<std::pair<Record, unsigned>>> find(storage::Database& database,
                                                             ExecutionId id);
/// Newest first.
async::task<Page> list(storage::Database& database, Listing listing, Reach reach);

/// What a record takes of the bytes that are kept.
std::uint64_t size_of(const Record& record);

}  // namespace gantry::executions::store
