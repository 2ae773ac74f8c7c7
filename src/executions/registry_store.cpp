#include "executions/registry_store.hpp"

#include "storage/migrations.hpp"

#include <array>

namespace gantry::executions::registry_store {
namespace {

constexpr std::array migrations{storage::Migration{1, "registries", R"(
  CREATE TABLE registries (
    id text PRIMARY KEY,
    host text NOT NULL UNIQUE,
    user_name text NOT NULL,
    password bytea NOT NULL,
    created_at bigint NOT NULL
  ))"}};

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "registries", migrations);
}

std::vector<Row> load(storage::Transaction& transaction) {
  std::vector<Row> rows;
  for (const auto& row :
       transaction.query("SELECT id, host, user_name, password, created_at FROM registries")) {
    rows.push_back({.registry = {.id = row.id<RegistryId>(0),
                                 .host = row.text(1),
                                 .user = row.text(2),
                                 .created_at = row.time(4)},
                    .sealed = row.blob(3)});
  }
  return rows;
}

void put(storage::Transaction& transaction, const Row& row) {
  const auto& registry = row.registry;
  transaction.execute(
      "INSERT INTO registries (id, host, user_name, password, created_at) "
      "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (host) DO UPDATE SET id = excluded.id, "
      "user_name = excluded.user_name, password = excluded.password, "
      "created_at = excluded.created_at",
      registry.id, registry.host, registry.user, storage::Blob{row.sealed}, registry.created_at);
}

void remove(storage::Transaction& transaction, const RegistryId& id) {
  transaction.execute("DELETE FROM registries WHERE id = $1", id);
}

}  // namespace gantry::executions::registry_store
