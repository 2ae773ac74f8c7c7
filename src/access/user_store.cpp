#include "access/user_store.hpp"

#include "base/error.hpp"
#include "storage/migrations.hpp"

namespace gantry::access::user_store {
namespace {

constexpr std::array migrations{storage::Migration{1, "users", R"(
  CREATE TABLE users (
    id text PRIMARY KEY,
    name text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    role text NOT NULL,
    created_at bigint NOT NULL
  ))"},
                                storage::Migration{2, "disabled users", R"(
  ALTER TABLE users ADD COLUMN disabled bigint NOT NULL DEFAULT 0)"}};

UserRow from_row(const storage::Row& row) {
  // An unknown role, written by a newer program, is read as the least one.
  return {.user = {.id = row.id<UserId>(0),
                   .name = row.text(1),
                   .role = parse_role(row.text(3)).value_or(Role::viewer),
                   .created_at = row.time(4),
                   .standing = row.integer(5) == 0 ? Standing::active : Standing::disabled},
          .password_hash = row.text(2)};
}

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "users", migrations);
}

std::vector<UserRow> load(storage::Transaction& transaction) {
  std::vector<UserRow> users;
  for (const auto& row :
       transaction.query("SELECT id, name, password_hash, role, created_at, disabled FROM users")) {
    users.push_back(from_row(row));
  }
  return users;
}

std::int64_t count(storage::Transaction& transaction) {
  return transaction.query("SELECT count(*) FROM users").front().integer(0);
}

Added add(storage::Transaction& transaction, const UserRow& row) {
  auto added = transaction.execute(
      "INSERT INTO users (id, name, password_hash, role, created_at) "
      "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING",
      row.user.id, row.user.name, row.password_hash, word(row.user.role), row.user.created_at);
  return added == 1 ? Added::yes : Added::name_taken;
}

void remove(storage::Transaction& transaction, const UserId& id) {
  transaction.execute("DELETE FROM users WHERE id = $1", id);
}

void set_role(storage::Transaction& transaction, const UserId& id, Role role) {
  transaction.execute("UPDATE users SET role = $2 WHERE id = $1", id, word(role));
}

void set_password(storage::Transaction& transaction, const UserId& id, const std::string& hash) {
  transaction.execute("UPDATE users SET password_hash = $2 WHERE id = $1", id, hash);
}

void set_standing(storage::Transaction& transaction, const UserId& id, Standing standing) {
  transaction.execute("UPDATE users SET disabled = $2 WHERE id = $1", id,
                      static_cast<std::int64_t>(standing));
}

bool is_admin(storage::Transaction& transaction, const UserId& id) {
  constexpr auto* counted =
      "SELECT count(*) FROM users WHERE role = 'admin' AND disabled = 0 AND id = $1";
  return transaction.query(counted, id).front().integer(0) > 0;
}

std::int64_t other_admins(storage::Transaction& transaction, const UserId& id) {
  constexpr auto* counted =
      "SELECT count(*) FROM users WHERE role = 'admin' AND disabled = 0 AND id <> $1";
  return transaction.query(counted, id).front().integer(0);
}

}  // namespace gantry::access::user_store
