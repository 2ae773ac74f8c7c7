#include "access/token_store.hpp"
#include "access/user_store.hpp"
#include "async/testing_fake.hpp"
#include "storage/testing_fake.hpp"

#include <gtest/gtest.h>

namespace gantry::access {
namespace {

/// The tables before users could be disabled and tokens had limits, with one of each.
constexpr const char* first_schema = R"(
  CREATE TABLE schema_versions (component text NOT NULL, version bigint NOT NULL,
    name text NOT NULL, PRIMARY KEY (component, version));
  INSERT INTO schema_versions (component, version, name)
    VALUES ('users', 1, 'users'), ('tokens', 1, 'tokens');
  CREATE TABLE users (id text PRIMARY KEY, name text NOT NULL UNIQUE, password_hash text NOT NULL,
    role text NOT NULL, created_at bigint NOT NULL);
  CREATE TABLE tokens (id text PRIMARY KEY, digest text NOT NULL UNIQUE,
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE, name text NOT NULL,
    hint text NOT NULL, role text NOT NULL, scopes text NOT NULL, created_at bigint NOT NULL,
    expires_at bigint, last_used_at bigint);
  CREATE INDEX tokens_user ON tokens (user_id);
  INSERT INTO users (id, name, password_hash, role, created_at)
    VALUES ('01ann', 'ann', 'hash', 'admin', 1);
  INSERT INTO tokens (id, digest, user_id, name, hint, role, scopes, created_at)
    VALUES ('01tok', 'digest', '01ann', 'ci', 'gantry_x', 'operator', 'executions system', 2);
)";

TEST(AccessMigration, WhoCouldComeInStillCanAndTokensHaveNoLimits) {
  async::TestLoop loop;
  storage::TemporaryFolder folder;
  auto database = loop.run(storage::open_for_test(folder.path() / "data"));
  loop.run(database->run([](storage::Transaction& t) { t.execute(first_schema); }));
  loop.run(user_store::migrate(*database));
  loop.run(token_store::migrate(*database));

  loop.run(database->run([](storage::Transaction& t) {
    auto users = user_store::load(t);
    ASSERT_EQ(users.size(), 1U);
    EXPECT_EQ(users[0].user.standing, Standing::active);
    EXPECT_EQ(users[0].user.role, Role::admin);
    EXPECT_TRUE(user_store::is_admin(t, UserId{"01ann"}));
    auto tokens = token_store::load(t);
    ASSERT_EQ(tokens.size(), 1U);
    EXPECT_FALSE(tokens[0].token.limits.any());
    EXPECT_TRUE(tokens[0].token.scopes.covers(
        *Scopes::parse(std::vector<std::string>{"executions", "system"})));
  }));
}

}  // namespace
}  // namespace gantry::access
