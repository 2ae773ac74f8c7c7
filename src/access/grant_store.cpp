#include "access/grant_store.hpp"

#include "base/text.hpp"
#include "storage/migrations.hpp"

#include <array>
#include <cstdint>

namespace gantry::access::grant_store {
namespace {

constexpr std::array migrations{storage::Migration{1, "grants", R"(
  CREATE TABLE grants (
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    position bigint NOT NULL,
    host_id text NOT NULL,
    host_group text NOT NULL,
    project text NOT NULL,
    role text NOT NULL,
    extras text NOT NULL,
    PRIMARY KEY (user_id, position)
  ))"},
                                storage::Migration{2, "grants of tokens", R"(
  CREATE TABLE token_grants (
    token_id text NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    position bigint NOT NULL,
    host_id text NOT NULL,
    host_group text NOT NULL,
    project text NOT NULL,
    role text NOT NULL,
    extras text NOT NULL,
    PRIMARY KEY (token_id, position)
  ))"}};

std::string words_of(const std::vector<Extra>& extras) {
  std::string words;
  for (auto extra : extras) {
    if (!words.empty()) words += ' ';
    words += word(extra);
  }
  return words;
}

/// One that this program does not know gives nothing.
std::vector<Extra> extras_of(const std::string& words) {
  std::vector<Extra> extras;
  for (auto known : text::split(words, ' ')) {
    if (auto extra = parse_extra(known)) extras.push_back(*extra);
  }
  return extras;
}

/// Of rows whose first column says whose it is.
template <class Owner>
std::map<Owner, std::vector<Grant>> grants_of(const storage::Rows& rows) {
  std::map<Owner, std::vector<Grant>> grants;
  for (const auto& row : rows) {
    grants[row.template id<Owner>(0)].push_back(
        {.group = row.text(2),
         .host = row.text(1),
         .project = row.text(3),
         .role = parse_role(row.text(4)).value_or(Role::viewer),
         .extras = extras_of(row.text(5))});
  }
  return grants;
}

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "grants", migrations);
}

std::map<UserId, std::vector<Grant>> load(storage::Transaction& transaction) {
  return grants_of<UserId>(
      transaction.query("SELECT user_id, host_id, host_group, project, role, extras FROM grants "
                        "ORDER BY user_id, position"));
}

Replaced replace(storage::Transaction& transaction, const UserId& user,
                 const std::vector<Grant>& grants) {
  auto known = transaction.query("SELECT count(*) FROM users WHERE id = $1", user);
  if (known.front().integer(0) == 0) return Replaced::no_such_user;
  transaction.execute("DELETE FROM grants WHERE user_id = $1", user);
  std::int64_t position = 0;
  for (const auto& grant : grants) {
    transaction.execute(
        "INSERT INTO grants (user_id, position, host_id, host_group, project, role, extras) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        user, ++position, grant.host, grant.group, grant.project, word(grant.role),
        words_of(grant.extras));
  }
  return Replaced::yes;
}

std::map<TokenId, std::vector<Grant>> load_of_tokens(storage::Transaction& transaction) {
  return grants_of<TokenId>(transaction.query(
      "SELECT token_id, host_id, host_group, project, role, extras FROM token_grants "
      "ORDER BY token_id, position"));
}

void add(storage::Transaction& transaction, const TokenId& token,
         const std::vector<Grant>& grants) {
  std::int64_t position = 0;
  for (const auto& grant : grants) {
    transaction.execute(
        "INSERT INTO token_grants (token_id, position, host_id, host_group, project, role, extras) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        token, ++position, grant.host, grant.group, grant.project, word(grant.role),
        words_of(grant.extras));
  }
}

}  // namespace gantry::access::grant_store
