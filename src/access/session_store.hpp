#pragma once

#include "access/identity.hpp"
#include "async/task.hpp"
#include "storage/database.hpp"

#include <string>
#include <vector>

namespace gantry::access {

struct SessionRow {
  SessionId id;        ///< the first half of the digest
  std::string digest;  ///< of the cookie's value
  UserId user;
  std::string address;  ///< where the user signed in from
  WallTime created_at;
  WallTime last_used_at;
  std::string agent;  ///< what the browser called itself
};

/// The id of the session whose cookie has this digest.
inline SessionId session_id(const std::string& digest) { return SessionId{digest.substr(0, 32)}; }

/// When unused, and at the latest.
inline constexpr Milliseconds session_idle_max = std::chrono::days{7};
inline constexpr Milliseconds session_age_max = std::chrono::days{30};

/// The table of sessions. Functions run inside a transaction.
namespace session_store {

/// Makes or updates the table.
async::task<void> migrate(storage::Database& database);
/// Removes what has expired.
void prune(storage::Transaction& transaction, WallTime now);
std::vector<SessionRow> load(storage::Transaction& transaction);
/// What became of an addition.
enum class Added { yes, user_changed };
/// Only when the user still has the password that was checked, and may come in.
Added add(storage::Transaction& transaction, const SessionRow& row,
          const std::string& password_hash);
void remove(storage::Transaction& transaction, const SessionId& id);
/// All of the user's but `kept`, which may be empty.
void remove_all(storage::Transaction& transaction, const UserId& user, const SessionId& kept);
void set_last_used(storage::Transaction& transaction, const SessionId& id, WallTime at);

}  // namespace session_store
}  // namespace gantry::access
