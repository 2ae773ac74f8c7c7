#pragma once

#include "async/task.hpp"
#include "base/bytes.hpp"
#include "executions/packing.hpp"
#include "executions/record.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

/// The table of executions: what is done to all of them.
namespace gantry::executions::store {

/// Gives everything that had begun and has no verdict one, and answers how many those were.
async::task<std::int64_t> end_unfinished(storage::Database& database, WallTime now,
                                         std::string message);

/// What waits for its turn, oldest first.
struct Waiting {
  Record record;
  Packed packed;
};
async::task<std::vector<Waiting>> waiting(storage::Database& database);

/// What is kept.
struct Retention {
  std::int64_t count_max = 10'000;
  Bytes bytes_max{1U << 30U};  ///< Of sources, outputs and artifacts together.
  std::chrono::hours age_max{std::chrono::days{90}};
  /// So long after its end one that a webhook is still to be told of may be over the first two
  /// bounds, up to twice what they say.
  std::chrono::hours untold_max{1};
};
/// Deletes the finished ones over any bound, the oldest first, and keys that have expired. Answers
/// whose files are to go, too.
async::task<std::vector<ExecutionId>> retain(storage::Database& database, Retention kept,
                                             WallTime now);
/// Those that have files.
async::task<std::set<ExecutionId>> with_files(storage::Database& database);

}  // namespace gantry::executions::store
