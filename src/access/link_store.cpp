#include "access/link_store.hpp"

#include "storage/migrations.hpp"

#include <array>

namespace gantry::access::link_store {
namespace {

constexpr std::array migrations{storage::Migration{1, "links of users", R"(
  CREATE TABLE user_links (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (issuer, subject)
  );
  CREATE INDEX user_links_user ON user_links (user_id))"}};

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "user_links", migrations);
}

std::map<Outside, UserId> load(storage::Transaction& transaction) {
  std::map<Outside, UserId> links;
  for (const auto& row : transaction.query("SELECT issuer, subject, user_id FROM user_links")) {
    links.emplace(Outside{row.text(0), row.text(1)}, row.id<UserId>(2));
  }
  return links;
}

Added add(storage::Transaction& transaction, const Outside& outside, const UserId& user) {
  auto added = transaction.execute(
      "INSERT INTO user_links (issuer, subject, user_id) VALUES ($1, $2, $3) "
      "ON CONFLICT (issuer, subject) DO NOTHING",
      outside.first, outside.second, user);
  return added == 1 ? Added::yes : Added::taken;
}

}  // namespace gantry::access::link_store
