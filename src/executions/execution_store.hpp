#pragma once

#include "async/task.hpp"
#include "base/bytes.hpp"
#include "executions/record.hpp"
#include "storage/database.hpp"

#include <optional>
#include <string>

/// The table of executions.
namespace gantry::executions::store {

/// Makes the table, or brings it up to date.
async::task<void> migrate(storage::Database& database);
/// A new record, without its outcome.
async::task<void> insert(storage::Database& database, Record record);
/// Adds the outcome and what the program wrote; a record that has its verdict stays as it is.
async::task<void> finish(storage::Database& database, Record record);
/// Gives everything without a verdict one, and answers how many those were.
async::task<std::int64_t> end_unfinished(storage::Database& database, WallTime now,
                                         std::string message);
/// The whole record; nothing when there is none.
async::task<std::optional<Record>> find(storage::Database& database, ExecutionId id);
/// Newest first, `limit` at most, from behind `cursor` (an id) or from the beginning.
async::task<Page> list(storage::Database& database, int limit, std::string cursor);
/// Deletes the oldest finished ones over either bound.
async::task<void> retain(storage::Database& database, std::int64_t count_max, Bytes bytes_max);

}  // namespace gantry::executions::store
