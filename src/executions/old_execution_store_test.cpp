#include "async/testing_fake.hpp"
#include "executions/execution_store.hpp"
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
    output, created_at, finished_at)
    VALUES ('old', 'ann', 'sh', 'alpine', '["sh"]', 'ls', 'finished', 'failed', 3, x'6869', 1, 2);
)";

TEST(ExecutionsMigration, WhatWasKeptBeforeIsReadAsItWas) {
  async::TestLoop loop;
  storage::TemporaryFolder folder;
  auto database = loop.run(storage::open("", folder.path() / "data"));
  loop.run(database->run([](storage::Transaction& t) { t.execute(first_schema); }));
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
