#include "access/token_store.hpp"

#include "base/text.hpp"
#include "storage/migrations.hpp"

#include <fmt/ranges.h>

namespace gantry::access::token_store {
namespace {

constexpr std::array migrations{storage::Migration{1, "tokens", R"(
  CREATE TABLE tokens (
    id text PRIMARY KEY,
    digest text NOT NULL UNIQUE,
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL,
    hint text NOT NULL,
    role text NOT NULL,
    scopes text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    last_used_at bigint
  );
  CREATE INDEX tokens_user ON tokens (user_id))"},
                                storage::Migration{2, "limits of tokens", R"(
  ALTER TABLE tokens ADD COLUMN policy text NOT NULL DEFAULT '';
  ALTER TABLE tokens ADD COLUMN executions_max bigint;
  ALTER TABLE tokens ADD COLUMN queue_max bigint)"}};

/// A scope that this program does not know opens nothing.
Scopes scopes_of(const std::string& words) {
  Scopes scopes;
  for (auto word : text::split(words, ' ')) {
    if (auto scope = parse_scope(word)) scopes.add(*scope);
  }
  return scopes;
}

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "tokens", migrations);
}

std::vector<TokenRow> load(storage::Transaction& transaction) {
  std::vector<TokenRow> tokens;
  for (const auto& row : transaction.query(
           "SELECT id, digest, user_id, name, hint, role, scopes, created_at, expires_at, "
           "last_used_at, policy, executions_max, queue_max FROM tokens")) {
    tokens.push_back({.token = {.id = row.id<TokenId>(0),
                                .user = row.id<UserId>(2),
                                .name = row.text(3),
                                .hint = row.text(4),
                                .role = parse_role(row.text(5)).value_or(Role::viewer),
                                .scopes = scopes_of(row.text(6)),
                                .created_at = row.time(7),
                                .expires_at = row.time_or_null(8),
                                .last_used_at = row.time_or_null(9),
                                .limits = {.policy = row.text(10),
                                           .executions_max = row.integer_or_null(11),
                                           .queue_max = row.integer_or_null(12)}},
                      .digest = row.text(1)});
  }
  return tokens;
}

Added add(storage::Transaction& transaction, const TokenRow& row) {
  const auto& token = row.token;
  auto added = transaction.execute(
      "INSERT INTO tokens (id, digest, user_id, name, hint, role, scopes, created_at, expires_at, "
      "policy, executions_max, queue_max) "
      "SELECT $1, $2, id, $4, $5, $6, $7, $8, $9, $10, $11, $12 FROM users WHERE id = $3",
      token.id, row.digest, token.user, token.name, token.hint, word(token.role),
      fmt::format("{}", fmt::join(token.scopes.words(), " ")), token.created_at, token.expires_at,
      token.limits.policy, token.limits.executions_max, token.limits.queue_max);
  return added == 1 ? Added::yes : Added::no_such_user;
}

void remove(storage::Transaction& transaction, const TokenId& id) {
  transaction.execute("DELETE FROM tokens WHERE id = $1", id);
}

void set_last_used(storage::Transaction& transaction, const TokenId& id, WallTime at) {
  transaction.execute("UPDATE tokens SET last_used_at = $2 WHERE id = $1", id, at);
}

}  // namespace gantry::access::token_store
