#include "access/session_store.hpp"

#include "storage/migrations.hpp"

namespace gantry::access::session_store {
namespace {

constexpr std::array migrations{storage::Migration{1, "sessions", R"(
  CREATE TABLE sessions (
    id text PRIMARY KEY,
    digest text NOT NULL,
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address text NOT NULL,
    created_at bigint NOT NULL,
    last_used_at bigint NOT NULL
  );
  CREATE INDEX sessions_user ON sessions (user_id))"},
                                storage::Migration{2, "agents of sessions", R"(
  ALTER TABLE sessions ADD COLUMN agent text NOT NULL DEFAULT '')"}};

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "sessions", migrations);
}

void prune(storage::Transaction& transaction, WallTime now) {
  transaction.execute("DELETE FROM sessions WHERE last_used_at <= $1 OR created_at <= $2",
                      now - session_idle_max, now - session_age_max);
}

std::vector<SessionRow> load(storage::Transaction& transaction) {
  std::vector<SessionRow> sessions;
  for (const auto& row : transaction.query(
           "SELECT id, digest, user_id, address, created_at, last_used_at, agent FROM sessions")) {
    sessions.push_back({.id = row.id<SessionId>(0),
                        .digest = row.text(1),
                        .user = row.id<UserId>(2),
                        .address = row.text(3),
                        .created_at = row.time(4),
                        .last_used_at = row.time(5),
                        .agent = row.text(6)});
  }
  return sessions;
}

Added add(storage::Transaction& transaction, const SessionRow& row,
          const std::string& password_hash) {
  auto added = transaction.execute(
      "INSERT INTO sessions (id, digest, user_id, address, created_at, last_used_at, agent) "
      "SELECT $1, $2, id, $4, $5, $6, $8 FROM users "
      "WHERE id = $3 AND password_hash = $7 AND disabled = 0",
      row.id, row.digest, row.user, row.address, row.created_at, row.last_used_at, password_hash,
      row.agent);
  return added == 1 ? Added::yes : Added::user_changed;
}

void remove(storage::Transaction& transaction, const SessionId& id) {
  transaction.execute("DELETE FROM sessions WHERE id = $1", id);
}

void remove_all(storage::Transaction& transaction, const UserId& user, const SessionId& kept) {
  transaction.execute("DELETE FROM sessions WHERE user_id = $1 AND id <> $2", user, kept);
}

void set_last_used(storage::Transaction& transaction, const SessionId& id, WallTime at) {
  transaction.execute("UPDATE sessions SET last_used_at = $2 WHERE id = $1", id, at);
}

}  // namespace gantry::access::session_store
