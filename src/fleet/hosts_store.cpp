#include "fleet/hosts_store.hpp"

#include "storage/migrations.hpp"

#include <array>

namespace gantry::fleet::hosts_store {
namespace {

constexpr std::array migrations{storage::Migration{1, "hosts", R"(
  CREATE TABLE hosts (
    id text PRIMARY KEY,
    name text NOT NULL UNIQUE,
    endpoint text NOT NULL,
    labels text NOT NULL,
    group_names text NOT NULL,
    note text NOT NULL,
    usual bigint NOT NULL,
    enabled bigint NOT NULL,
    insecure_tcp bigint NOT NULL,
    follows_option bigint NOT NULL,
    secrets bytea NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
  );
  CREATE TABLE fleet_marks (
    name text PRIMARY KEY
  ))"}};

constexpr const char* local_mark = "local registered";

bool name_taken(storage::Transaction& transaction, const Row& row) {
  return !transaction.query("SELECT id FROM hosts WHERE name = $1 AND id <> $2", row.name, row.id)
              .empty();
}

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "fleet", migrations);
}

std::vector<Row> load(storage::Transaction& transaction) {
  std::vector<Row> rows;
  for (const auto& row : transaction.query(
           "SELECT id, name, endpoint, labels, group_names, note, usual, enabled, insecure_tcp, "
           "follows_option, secrets, created_at, updated_at FROM hosts ORDER BY name")) {
    auto set = [&](std::size_t column) { return row.integer(column) != 0; };
    rows.push_back({.id = row.id<HostId>(0),
                    .name = row.text(1),
                    .endpoint = row.text(2),
                    .labels = row.text(3),
                    .groups = row.text(4),
                    .note = row.text(5),
                    .usual = set(6) ? HostConfig::Usual::yes : HostConfig::Usual::no,
                    .standing = set(7) ? Standing::enabled : Standing::disabled,
                    .clear_text = set(8) ? ClearText::allowed : ClearText::refused,
                    .origin = set(9) ? Origin::engine_option : Origin::added,
                    .sealed = row.blob(10),
                    .created_at = row.time(11),
                    .updated_at = row.time(12)});
  }
  return rows;
}

Put add(storage::Transaction& transaction, const Row& row) {
  if (name_taken(transaction, row)) return Put::name_taken;
  transaction.execute(
      "INSERT INTO hosts (id, name, endpoint, labels, group_names, note, usual, enabled, "
      "insecure_tcp, follows_option, secrets, created_at, updated_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
      row.id, row.name, row.endpoint, row.labels, row.groups, row.note,
      row.usual == HostConfig::Usual::yes, row.standing == Standing::enabled,
      row.clear_text == ClearText::allowed, row.origin == Origin::engine_option,
      storage::Blob{row.sealed}, row.created_at, row.updated_at);
  return Put::done;
}

Put change(storage::Transaction& transaction, const Row& row) {
  if (name_taken(transaction, row)) return Put::name_taken;
  transaction.execute(
      "UPDATE hosts SET name = $2, endpoint = $3, labels = $4, group_names = $5, note = $6, "
      "usual = $7, enabled = $8, insecure_tcp = $9, secrets = $10, updated_at = $11 WHERE id = $1",
      row.id, row.name, row.endpoint, row.labels, row.groups, row.note,
      row.usual == HostConfig::Usual::yes, row.standing == Standing::enabled,
      row.clear_text == ClearText::allowed, storage::Blob{row.sealed}, row.updated_at);
  return Put::done;
}

void remove(storage::Transaction& transaction, const HostId& id) {
  transaction.execute("DELETE FROM hosts WHERE id = $1", id);
}

void set_usual(storage::Transaction& transaction, const HostId& id) {
  transaction.execute("UPDATE hosts SET usual = 0 WHERE usual <> 0 AND id <> $1", id);
}

bool local_registered(storage::Transaction& transaction) {
  return !transaction.query("SELECT name FROM fleet_marks WHERE name = $1", local_mark).empty();
}

void set_local_registered(storage::Transaction& transaction) {
  transaction.execute("INSERT INTO fleet_marks (name) VALUES ($1) ON CONFLICT (name) DO NOTHING",
                      local_mark);
}

}  // namespace gantry::fleet::hosts_store
