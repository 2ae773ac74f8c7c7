#include "storage/postgres.hpp"

#include "async/attempt.hpp"
#include "async/backoff.hpp"
#include "async/testing_fake.hpp"
#include "base/encoding.hpp"
#include "storage/postgres_server_fake.hpp"
#include "storage/postgres_text.hpp"
#include "storage/testing_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace gantry::storage {
namespace {
namespace fs = std::filesystem;

std::string schema_of(const fs::path& folder) {
  return "t" + encoding::sha256_hex(folder.string()).substr(0, 20);
}

class PostgresqlTest : public testing::Test {
 protected:
  void SetUp() override {
    auto reason = PostgresServer::missing();
    if (reason.empty()) return;
    if (std::getenv("CI") != nullptr) FAIL() << reason;
    GTEST_SKIP() << reason;
  }
  std::string url() const { return server().url(schema_of(folder_.path())); }
  static PostgresServer& server() { return PostgresServer::shared(); }
  std::unique_ptr<Database> opened(std::string name = "data") {
    return loop_.run(open(url(), folder_.path() / name));
  }
  Error refused(std::string address, std::string name = "data") {
    auto answer =
        loop_.run(async::attempt(open(std::move(address), folder_.path() / std::move(name))));
    return answer ? Error{.code = "it opened"} : answer.error();
  }
  Result<std::int64_t> execute(Database& database, std::string sql) {
    return loop_.run(
        async::attempt(transact(database, [sql](Transaction& t) { return t.execute(sql); })));
  }
  std::int64_t count(Database& database) {
    return loop_.run(transact(database, [](Transaction& t) {
      return t.query("SELECT count(*) FROM things").front().integer(0);
    }));
  }
  /// Ends the connection of whoever uses this test's schema, as a restart or a bad line would.
  void cut() const {
    auto schema = schema_of(folder_.path());
    server().ask(
        "SELECT pg_terminate_backend(l.pid, 10000) FROM pg_locks l "
        "WHERE l.locktype = 'advisory' AND l.classid = 1734438516 AND l.objid::bigint = "
        "(hashtext('" +
        schema + "')::bigint & 4294967295)");
  }

  TemporaryFolder folder_;
  async::TestLoop loop_;
};

TEST_F(PostgresqlTest, ASecondServerIsRefusedAndToldWhoIsThere) {
  auto first = opened();
  auto error = refused(url(), "another");
  EXPECT_EQ(error.code, "already_running");
  EXPECT_EQ(error.kind, ErrorKind::conflict);
  EXPECT_THAT(error.message, testing::HasSubstr("process " + std::to_string(::getpid())));
}

TEST_F(PostgresqlTest, AfterTheFirstHasEndedTheSecondMayStart) {
  opened().reset();
  EXPECT_TRUE(opened("another"));
}

TEST_F(PostgresqlTest, TheDataDirectoryIsLockedToo) {
  auto first = opened();
  EXPECT_EQ(refused(server().url("elsewhere")).code, "already_running");
}

TEST_F(PostgresqlTest, TwoSchemasAreTwoDatabases) {
  auto first = opened();
  auto second = loop_.run(open(server().url("another_schema"), folder_.path() / "another"));
  ASSERT_TRUE(execute(*first, "CREATE TABLE things (a bigint)"));
  EXPECT_TRUE(execute(*second, "CREATE TABLE things (a bigint)"));
}

TEST_F(PostgresqlTest, AConnectionLostBetweenTransactionsIsMadeAgainUnnoticed) {
  auto database = opened();
  ASSERT_TRUE(execute(*database, "CREATE TABLE things (a bigint)"));
  cut();
  EXPECT_TRUE(execute(*database, "INSERT INTO things VALUES (1)"));
  EXPECT_EQ(count(*database), 1);
}

TEST_F(PostgresqlTest, AConnectionLostInATransactionRefusesItAndLeavesNothing) {
  auto database = opened();
  ASSERT_TRUE(execute(*database, "CREATE TABLE things (a bigint)"));
  auto answer = loop_.run(async::attempt(transact(*database, [this](Transaction& t) {
    t.execute("INSERT INTO things VALUES (1)");
    cut();
    t.execute("INSERT INTO things VALUES (2)");
  })));
  EXPECT_EQ(answer.error().code, "database_unreachable");
  EXPECT_EQ(answer.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(count(*database), 0);
}

TEST_F(PostgresqlTest, ALossThatABodySwallowsIsNoCommit) {
  auto database = opened();
  ASSERT_TRUE(execute(*database, "CREATE TABLE things (a bigint PRIMARY KEY)"));
  auto answer = loop_.run(async::attempt(transact(*database, [](Transaction& t) {
    t.execute("INSERT INTO things VALUES (1)");
    EXPECT_THROW(t.execute("INSERT INTO things VALUES (1)"), Failure);
  })));
  EXPECT_FALSE(answer);
  EXPECT_EQ(count(*database), 0);
}

TEST_F(PostgresqlTest, AServerThatHasTakenTheDatabaseKeepsIt) {
  auto first = opened();
  ASSERT_TRUE(execute(*first, "CREATE TABLE things (a bigint)"));
  cut();
  auto second = opened("another");
  EXPECT_EQ(execute(*first, "INSERT INTO things VALUES (1)").error().code, "already_running");
  EXPECT_EQ(count(*second), 0);
}

async::task<void> insert_until_it_works(Database& database) {
  async::Backoff backoff{Milliseconds{50}, Milliseconds{500}};
  for (;;) {
    auto done = co_await async::attempt(
        transact(database, [](Transaction& t) { t.execute("INSERT INTO things VALUES (2)"); }));
    if (done) co_return;
    EXPECT_EQ(done.error().kind, ErrorKind::unavailable);
    co_await backoff.pause();
  }
}

TEST_F(PostgresqlTest, WhileTheServerIsAwayCallersAreRefusedAndThenItGoesOn) {
  PostgresServer own;
  auto database = loop_.run(open(own.url("public"), folder_.path() / "data"));
  ASSERT_TRUE(execute(*database, "CREATE TABLE things (a bigint)"));
  own.stop();
  auto away = execute(*database, "INSERT INTO things VALUES (1)");
  EXPECT_EQ(away.error().code, "database_unreachable");
  own.start();
  loop_.run(insert_until_it_works(*database));
  EXPECT_EQ(count(*database), 1);
}

TEST_F(PostgresqlTest, AUserThatIsNotKnownIsRefused) {
  auto error = refused("postgresql://nobody_here@/postgres?host=" + server().folder().string());
  EXPECT_EQ(error.code, "database_denied");
  EXPECT_FALSE(error.remedy.empty());
}

TEST_F(PostgresqlTest, ADatabaseThatIsNotThereIsNamed) {
  auto error = refused("postgresql://gantry@/nothing?host=" + server().folder().string());
  EXPECT_EQ(error.code, "database_unreachable");
  EXPECT_THAT(error.remedy, testing::HasSubstr("createdb"));
}

TEST_F(PostgresqlTest, ThePasswordIsNeverShown) {
  auto unreachable =
      refused("postgresql://ada:hunter2@localhost/gantry?host=/nowhere&password=hunter2");
  EXPECT_EQ(unreachable.code, "database_unreachable");
  EXPECT_THAT(unreachable.sentence(), testing::Not(testing::HasSubstr("hunter2")));
  auto unreadable = refused("postgresql://ada:hunter2%zz@[::1/gantry");
  EXPECT_EQ(unreadable.code, "database_unsupported");
  EXPECT_THAT(unreadable.sentence(), testing::Not(testing::HasSubstr("hunter2")));
}

TEST(PostgresText, WhatFitsStaysAsItIs) {
  EXPECT_EQ(to_postgres_text("zwölf 字 😀"), "zwölf 字 😀");
  EXPECT_EQ(from_postgres_text("zwölf"), "zwölf");
}

TEST(PostgresText, WhatDoesNotFitComesBack) {
  for (std::string text : {std::string{"a\0b", 3}, std::string{"\x1a"}, std::string{"\xff\xfe"},
                           std::string{"\x1a"
                                       "00"},
                           std::string{"ends \xc3"}}) {
    EXPECT_EQ(from_postgres_text(to_postgres_text(text)), text);
    EXPECT_NE(to_postgres_text(text), text);
  }
}

}  // namespace
}  // namespace gantry::storage
