#pragma once

#include "async/task.hpp"
#include "executions/record.hpp"
#include "storage/database.hpp"

#include <optional>
#include <string>
#include <vector>

/// The ends of executions that somebody is still to be told: a mark in their own table, and how
/// often it was tried in vain in another.
namespace gantry::executions::store {

/// Makes the table of attempts, or brings it up to date, after the executions' own tables; attempts
/// of executions that are no more go.
async::task<void> migrate_webhooks(storage::Database& database);

/// One that is to be told.
struct Delivery {
  ExecutionId id;
  std::string owner;  ///< Their account.
  int attempts = 0;   ///< So often it was tried in vain.
};

/// What became of an attempt.
struct Settled {
  ExecutionId id;
  int attempts = 0;               ///< Including this one.
  std::optional<WallTime> again;  ///< Nothing: it was told, or given up.
};

/// How many at most.
struct Share {
  int each;  ///< Of one user.
  int all;
};

struct Due {
  std::vector<Delivery> now;     ///< The first of every user before the second of any.
  std::optional<WallTime> next;  ///< When the next one's time comes that is not there yet.
};

/// Writes down what became of attempts, and answers what is due, in one transaction.
async::task<Due> settle(storage::Database& database, std::vector<Settled> settled, WallTime now,
                        Share share);

}  // namespace gantry::executions::store
