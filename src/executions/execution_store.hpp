#pragma once

#include <optional>
#include <string>

#include "async/task.hpp"
#include "base/bytes.hpp"
#include "executions/record.hpp"
#include "storage/database.hpp"

/// The table of executions.
namespace gantry::executions::store {

async::task<void> migrate(storage::Database& database);
async::task<void> insert(storage::Database& database, Record record);
/// The program runs since `at`, in this image.
async::task<void> finish(storage::Database& database, Record record);
/// Gives everything without a verdict one, and answers how many those were.
async::task<std::int64_t> end_unfinished(storage::Database& database, WallTime now,
                                         std::string message);
async::task<std::optional<Record>> find(storage::Database& database, ExecutionId id);
async::task<Page> list(storage::Database& database, int limit, std::string cursor);
/// Deletes the oldest finished ones over either bound.
async::task<void> retain(storage::Database& database, std::int64_t count_max, Bytes bytes_max);

}  // namespace gantry::executions::store
