#include "async/testing_fake.hpp"
#include "executions/execution_store.hpp"
#include "executions/webhook_store.hpp"
#include "storage/testing_fake.hpp"

#include <gtest/gtest.h>

namespace gantry::executions {
namespace {

using sandbox::Verdict;

/// The tables as version 0.1.0 left them, with one finished execution.
constexpr const char* first_schema = R"(
  CREATE TABLE schema_versions (component text NOT NULL, version bigint NOT NULL,
    name text NOT NULL, PRIMARY KEY (component, version));
  INSERT INTO schema_versions (component, version, name) VALUES ('executions', 1, 'executions');
  CREATE TABLE executions (
    id text PRIMARY KEY, owner text NOT NULL, language text NOT NULL, image text NOT NULL,
    command text NOT NULL, source text NOT NULL, state text NOT NULL, verdict text,
    exit_code bigint, signal bigint, message text NOT NULL DEFAULT '',
    served_image text NOT NULL DEFAULT '', warm bigint NOT NULL DEFAULT 0,
    wall_us bigint NOT NULL DEFAULT 0, cpu_us bigint NOT NULL DEFAULT 0,
    memory_peak_bytes bigint NOT NULL DEFAULT 0, output bytea, errors bytea,
    bytes bigint NOT NULL DEFAULT 0, created_at bigint NOT NULL, started_at bigint,
    finished_at bigint);
  CREATE INDEX executions_unfinished ON executions (state) WHERE state <> 'finished';
  INSERT INTO executions (id, owner, language, image, command, source, state, verdict, exit_code,
    created_at, finished_at)
    VALUES ('old', 'ann', 'sh', 'alpine', '["sh"]', 'ls', 'finished', 'failed', 3, 1, 2);
)";

void make_first(storage::Transaction& t) {
  t.execute(first_schema);
  t.execute("UPDATE executions SET output = $1", storage::Blob{"hi"});
}

/// What the version before owners had accounts added to them.
constexpr const char* second_schema = R"(
  INSERT INTO schema_versions (component, version, name) VALUES ('executions', 2, 'stages');
  ALTER TABLE executions ADD COLUMN executor text NOT NULL DEFAULT '';
  ALTER TABLE executions ADD COLUMN truncated bigint NOT NULL DEFAULT 0;
  ALTER TABLE executions ADD COLUMN compile text NOT NULL DEFAULT '';
  ALTER TABLE executions ADD COLUMN compile_output bytea;
  ALTER TABLE executions ADD COLUMN compile_errors bytea;
  ALTER TABLE executions ADD COLUMN artifacts text NOT NULL DEFAULT '';
  ALTER TABLE executions ADD COLUMN in_files bigint NOT NULL DEFAULT 0;
  ALTER TABLE executions ADD COLUMN batch text NOT NULL DEFAULT '';
  ALTER TABLE executions ADD COLUMN webhook text NOT NULL DEFAULT '';
  ALTER TABLE executions ADD COLUMN told bigint NOT NULL DEFAULT 0;
  CREATE INDEX executions_batch ON executions (batch) WHERE batch <> '';
  CREATE INDEX executions_untold ON executions (id) WHERE webhook <> '' AND told = 0;
  CREATE TABLE execution_programs (id text PRIMARY KEY, about text NOT NULL,
    content bytea NOT NULL);
  CREATE TABLE execution_keys (owner text NOT NULL, key text NOT NULL, fingerprint text NOT NULL,
    target text NOT NULL, expires_at bigint NOT NULL, PRIMARY KEY (owner, key));
  INSERT INTO executions (id, owner, language, image, command, source, state, verdict, exit_code,
    created_at, finished_at, webhook)
    VALUES ('untold', 'ann', 'sh', 'alpine', '["sh"]', 'ls', 'finished', 'ok', 0, 3, 4,
      'http://example.org/');
  INSERT INTO execution_keys (owner, key, fingerprint, target, expires_at)
    VALUES ('ann', 'k', 'body', 'untold', 1000000);
)";

class OldExecutionsTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = loop_.run(storage::open_for_test(folder_.path() / "data"));
    loop_.run(database_->run([](storage::Transaction& t) {
      make_first(t);
      t.execute(second_schema);
    }));
    loop_.run(store::migrate(*database_));
    loop_.run(store::migrate_webhooks(*database_));
  }
  std::optional<store::Repeatable> made_by(std::string account, std::string name) {
    store::Repeatable asked{.owner = std::move(account), .owner_name = std::move(name), .key = "k"};
    return loop_.run(store::repeated(*database_, std::move(asked), WallTime{Milliseconds{5}}));
  }

  async::TestLoop loop_;
  storage::TemporaryFolder folder_;
  std::unique_ptr<storage::Database> database_;
};

TEST_F(OldExecutionsTest, AnEndThatNobodyWasToldOfIsDue) {
  auto due = loop_.run(store::settle(*database_, {}, WallTime{Milliseconds{5}}, {4, 16}));
  ASSERT_EQ(due.now.size(), 1U);
  EXPECT_EQ(due.now[0].id.text(), "untold");
  EXPECT_EQ(due.now[0].attempts, 0);
}

TEST_F(OldExecutionsTest, AKeyThatWasKeptByItsOwnersNameHolds) {
  auto earlier = made_by("01account", "ann");
  ASSERT_TRUE(earlier);
  EXPECT_EQ(earlier->target, "untold");
  EXPECT_EQ(earlier->fingerprint, "body");
  EXPECT_FALSE(made_by("01account", "ben"));
}

TEST_F(OldExecutionsTest, AKeyOfTodayIsItsAccountsOnly) {
  store::Fresh fresh{{.id = ExecutionId{"new"}, .owner = "ben", .owner_id = "ann"}, {}};
  store::Repeatable key{.owner = "ann", .key = "k2", .target = "new"};
  key.members = {ExecutionId{"new"}};
  key.expires_at = WallTime{Milliseconds{1'000}};
  loop_.run(store::insert(*database_, {fresh}, key, {}));
  store::Repeatable asked{.owner = "01other", .owner_name = "ann", .key = "k2"};
  EXPECT_FALSE(loop_.run(store::repeated(*database_, asked, {})));
  EXPECT_TRUE(loop_.run(store::repeated(*database_, key, {})));
}

TEST(ExecutionsMigration, WhatWasKeptBeforeIsReadAsItWas) {
  async::TestLoop loop;
  storage::TemporaryFolder folder;
  auto database = loop.run(storage::open_for_test(folder.path() / "data"));
  loop.run(database->run(&make_first));
  loop.run(store::migrate(*database));

  auto [record, in_files] = loop.run(store::find(*database, ExecutionId{"old"})).value();
  EXPECT_EQ(record.outcome->verdict, Verdict::failed);
  EXPECT_EQ(record.outcome->exit_code, 3);
  EXPECT_EQ(record.output, "hi");
  EXPECT_EQ(record.source, "ls");
  EXPECT_FALSE(record.outcome->compile);
  EXPECT_FALSE(record.outcome->output_truncated);
  EXPECT_EQ(record.batch, "");
  EXPECT_TRUE(record.artifacts.empty());
  EXPECT_EQ(in_files, 0U);
}

}  // namespace
}  // namespace gantry::executions
