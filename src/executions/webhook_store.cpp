#include "executions/webhook_store.hpp"

#include "storage/migrations.hpp"

#include <array>

namespace gantry::executions::store {
namespace {

// The index has all that is asked for, because the rows themselves may be large.
constexpr std::array migrations{storage::Migration{1, "attempts to tell", R"(
      CREATE TABLE webhook_attempts (
        id text PRIMARY KEY,
        attempts bigint NOT NULL,
        due_at bigint NOT NULL
      );
      DROP INDEX executions_untold;
      CREATE INDEX executions_untold_of ON executions (owner_id, id, state, told, webhook)
        WHERE webhook <> '' AND told = 0;
    )"}};

void write_down(storage::Transaction& transaction, const Settled& one) {
  if (one.again) {
    transaction.execute(
        "INSERT INTO webhook_attempts (id, attempts, due_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (id) DO UPDATE SET attempts = $2, due_at = $3",
        one.id, one.attempts, *one.again);
    return;
  }
  transaction.execute("UPDATE executions SET told = 1 WHERE id = $1", one.id);
  transaction.execute("DELETE FROM webhook_attempts WHERE id = $1", one.id);
}

std::vector<Delivery> due_now(storage::Transaction& transaction, WallTime now, Share share) {
  auto rows = transaction.query(
      "SELECT id, owner_id, attempts FROM (SELECT e.id AS id, e.owner_id AS owner_id, "
      "coalesce(w.attempts, 0) AS attempts, ROW_NUMBER() OVER (PARTITION BY e.owner_id "
      "ORDER BY coalesce(w.due_at, 0), e.id) AS position "
      "FROM executions e LEFT JOIN webhook_attempts w ON w.id = e.id "
      "WHERE e.webhook <> '' AND e.told = 0 AND e.state = 'finished' "
      "AND coalesce(w.due_at, 0) <= $1) AS ranked "
      "WHERE position <= $2 ORDER BY position, id LIMIT $3",
      now, share.each, share.all);
  std::vector<Delivery> due;
  for (const auto& row : rows) {
    due.push_back({row.id<ExecutionId>(0), row.text(1), static_cast<int>(row.integer(2))});
  }
  return due;
}

}  // namespace

async::task<void> migrate_webhooks(storage::Database& database) {
  co_await storage::migrate(database, "webhooks", migrations);
  co_await database.run([](storage::Transaction& transaction) {
    transaction.execute("DELETE FROM webhook_attempts WHERE id NOT IN (SELECT id FROM executions)");
  });
}

async::task<Due> settle(storage::Database& database, std::vector<Settled> settled, WallTime now,
                        Share share) {
  co_return co_await storage::transact(database, [&](storage::Transaction& transaction) {
    for (const auto& one : settled) write_down(transaction, one);
    auto next =
        transaction.query("SELECT min(due_at) FROM webhook_attempts WHERE due_at > $1", now);
    return Due{due_now(transaction, now, share), next.front().time_or_null(0)};
  });
}

}  // namespace gantry::executions::store
