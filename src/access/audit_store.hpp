#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gantry::access {

/// What somebody did, or tried to do.
struct AuditEntry {
  std::string actor;    ///< a user's name; `local`, `system`, or the name a stranger gave
  std::string action;   ///< `user.create`, `execution.cancel`: noun and verb
  std::string target;   ///< the id or name of what it was done to; `host/object` on hosts
  std::string outcome;  ///< `ok`, or the code of the refusal
  std::string details;  ///< a JSON object, or empty; never a secret
};

/// An entry in its place in the chain.
struct AuditRecord {
  std::int64_t sequence = 0;  ///< 1, 2, 3 … without gaps
  WallTime at;
  AuditEntry entry;
  std::string previous_hash;
  std::string hash;  ///< SHA-256 over all of the above, in hexadecimal
};

/// Which entries somebody wants to see; an empty text is any.
struct AuditFilter {
  std::string actor;
  std::string action;  ///< `user.create`, or `user` for all that is done to users
  std::string target;  ///< `host/container`, or `host` for all that is done to what is there
  std::optional<WallTime> since = {};
  std::optional<WallTime> until = {};  ///< Itself not.
};

struct AuditPage {
  std::vector<AuditRecord> items;   ///< newest first
  std::optional<std::string> next;  ///< the cursor of the following page
};

/// What `verify` found.
struct AuditCheck {
  std::int64_t records = 0;               ///< how many are in order
  std::optional<std::int64_t> broken_at;  ///< the first one that is not
  std::string reason;
  std::string last_hash;  ///< Of the last record that is in order.
};

/// The audit log: an append-only chain in which each record carries the hash of the one before, so
/// that a change, a removal or an insertion shows. Whoever can write the file can also write a new
/// chain: keep a copy of the latest hash elsewhere to notice that.
namespace audit {

/// Adds an entry inside the transaction of the change it reports: both happen or neither.
/// Texts over 256 bytes are shortened. Details over 32 KiB stay JSON: in the place of values over
/// 256 bytes is `{"bytes": N}`, or of all of them `{"details_bytes": N}`.
void append(storage::Transaction& transaction, const AuditEntry& entry, WallTime now);
/// 1 to 500 records from `cursor` (empty: the newest) backwards. Refused: `invalid_cursor`.
Result<AuditPage> list(storage::Transaction& transaction, int limit, const std::string& cursor,
                       const AuditFilter& filter = {});
/// The records that follow `sequence`, oldest first, at most a thousand.
std::vector<AuditRecord> after(storage::Transaction& transaction, std::int64_t sequence);
/// Reads the chain from its start, a thousand records per transaction.
async::task<AuditCheck> verify(storage::Database& database);
/// Makes or updates the table.
async::task<void> migrate(storage::Database& database);

}  // namespace audit

}  // namespace gantry::access
