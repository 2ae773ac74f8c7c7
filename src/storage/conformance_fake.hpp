#pragma once

#include "async/attempt.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "storage/testing_fake.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// What every Database must do. One test includes this, conformance_test.cpp, and names them all.
namespace gantry::storage {

using OpenDatabase =
    std::function<async::task<std::unique_ptr<Database>>(std::filesystem::path folder)>;

class DatabaseConformance : public testing::TestWithParam<OpenDatabase> {
 protected:
  void SetUp() override {
    try {
      database_ = loop_.run(GetParam()(folder_.path()));
    } catch (const NotHere& missing) {
      if (std::getenv("CI") != nullptr) FAIL() << missing.what();
      GTEST_SKIP() << missing.what();
    }
  }

  /// Runs `work(Transaction&)` and answers what it returns; throws what it throws.
  template <class Work>
  auto in_transaction(Work work) {
    return loop_.run(transact(*database_, std::move(work)));
  }
  void execute(std::string sql) {
    in_transaction([sql](Transaction& transaction) { return transaction.execute(sql); });
  }
  /// The Error of a statement that must fail, in a transaction of its own.
  Error refusal(std::string sql) {
    auto answer = loop_.run(async::attempt(transact(
        *database_, [sql](Transaction& transaction) { return transaction.execute(sql); })));
    return answer ? Error{.code = "it worked"} : answer.error();
  }
  std::int64_t count(std::string table) {
    return in_transaction([table](Transaction& transaction) {
      return transaction.query("SELECT count(*) FROM " + table).front().integer(0);
    });
  }
  void reopen() {
    database_.reset();
    database_ = loop_.run(GetParam()(folder_.path()));
  }

  TemporaryFolder folder_;
  async::TestLoop loop_;
  std::unique_ptr<Database> database_;
};

TEST_P(DatabaseConformance, EveryKindOfValueComesBackAsItWasStored) {
  execute("CREATE TABLE things (a bigint, b double precision, c text, d bytea, e text)");
  std::string text{"zwölf \0 字", 12};
  std::string bytes{"\0\xff\x01", 3};
  in_transaction([&](Transaction& t) {
    t.execute("INSERT INTO things VALUES ($1, $2, $3, $4, $5)", INT64_MIN, 0.1, text, Blob{bytes},
              std::nullopt);
  });
  auto row = in_transaction([](Transaction& t) { return t.query("SELECT * FROM things").front(); });
  EXPECT_EQ(row.integer(0), INT64_MIN);
  EXPECT_EQ(row.real(1), 0.1);
  EXPECT_EQ(row.text(2), text);
  EXPECT_EQ(row.blob(3), bytes);
  EXPECT_TRUE(row.null(4));
  EXPECT_EQ(row.text_or_null(4), std::nullopt);
}

TEST_P(DatabaseConformance, AnEmptyTextIsNotNull) {
  execute("CREATE TABLE things (a text, b bytea)");
  in_transaction(
      [](Transaction& t) { t.execute("INSERT INTO things VALUES ($1, $2)", "", Blob{}); });
  auto row = in_transaction([](Transaction& t) { return t.query("SELECT * FROM things").front(); });
  EXPECT_EQ(row.text_or_null(0), "");
  EXPECT_EQ(row.blob_or_null(1), "");
}

TEST_P(DatabaseConformance, TimesAndIdsAreStoredAsNumbersAndTexts) {
  using ThingId = Id<struct ThingTag>;
  execute("CREATE TABLE things (id text, at bigint, later bigint)");
  WallTime at{Milliseconds{1'700'000'000'123}};
  in_transaction([&](Transaction& t) {
    t.execute("INSERT INTO things VALUES ($1, $2, $3)", ThingId{"x1"}, at,
              std::optional<WallTime>{});
  });
  auto row = in_transaction([](Transaction& t) { return t.query("SELECT * FROM things").front(); });
  EXPECT_EQ(row.id<ThingId>(0), ThingId{"x1"});
  EXPECT_EQ(row.time(1), at);
  EXPECT_EQ(row.time_or_null(2), std::nullopt);
}

TEST_P(DatabaseConformance, PlaceholdersAreBoundByNumberInAnyOrderAndOften) {
  auto row = in_transaction([](Transaction& t) {
    return t.query("SELECT $2, $1, $2", std::string{"one"}, std::string{"two"}).front();
  });
  EXPECT_EQ(row.text(0) + row.text(1) + row.text(2), "twoonetwo");
}

TEST_P(DatabaseConformance, AValueIsNeverReadAsSql) {
  execute("CREATE TABLE things (a text)");
  std::string hostile = "'); DROP TABLE things; --";
  in_transaction([&](Transaction& t) { t.execute("INSERT INTO things VALUES ($1)", hostile); });
  auto rows = in_transaction(
      [&](Transaction& t) { return t.query("SELECT a FROM things WHERE a = $1", hostile); });
  EXPECT_EQ(rows.size(), 1U);
}

TEST_P(DatabaseConformance, BytesThatAreNoTextAreTextAllTheSame) {
  execute("CREATE TABLE things (a text)");
  std::string odd{"\xff ok \xc3( \x1a \xed\xa0\x80 \xf0\x9f\x98\x80 \xe5\xad", 21};
  in_transaction([&](Transaction& t) { t.execute("INSERT INTO things VALUES ($1)", odd); });
  auto rows = in_transaction(
      [&](Transaction& t) { return t.query("SELECT a FROM things WHERE a = $1", odd); });
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.front().text(0), odd);
}

TEST_P(DatabaseConformance, TextsAreComparedByteByByte) {
  execute("CREATE TABLE things (a text, b bigint)");
  execute("INSERT INTO things (a) VALUES ('b'), ('B'), ('a'), ('_'), ('A'), ('é'), ('z')");
  execute("ALTER TABLE things ADD COLUMN c text NOT NULL DEFAULT ''");
  auto told = in_transaction([](Transaction& t) {
    t.execute("UPDATE things SET c = a");
    std::string all;
    for (const auto& row : t.query("SELECT a FROM things WHERE c < $1 ORDER BY a", "é")) {
      all += row.text(0);
    }
    return all;
  });
  EXPECT_EQ(told, "AB_abz");
}

TEST_P(DatabaseConformance, SumsAndComparisonsAreNumbers) {
  auto row = in_transaction([](Transaction& t) {
    return t
        .query(
            "SELECT sum(a), count(*), 1 = 1, 2.5, coalesce(max(a), 0) FROM "
            "(SELECT 40 AS a UNION ALL SELECT 2) AS things")
        .front();
  });
  EXPECT_EQ(row.integer(0), 42);
  EXPECT_EQ(row.integer(1), 2);
  EXPECT_EQ(row.integer(2), 1);
  EXPECT_EQ(row.real(3), 2.5);
  EXPECT_EQ(row.integer(4), 40);
}

TEST_P(DatabaseConformance, AStatementIsPreparedAnewAfterItsTableChanged) {
  execute("CREATE TABLE things (a bigint)");
  auto all = [](Transaction& t) { return t.query("SELECT * FROM things WHERE a = $1", 1); };
  execute("INSERT INTO things VALUES (1)");
  EXPECT_EQ(in_transaction(all).front().size(), 1U);
  execute("ALTER TABLE things ADD COLUMN b text NOT NULL DEFAULT 'x'");
  EXPECT_EQ(in_transaction(all).front().text(1), "x");
}

TEST_P(DatabaseConformance, ReadingAColumnAsSomethingElseIsOurFault) {
  auto answer = loop_.run(async::attempt(transact(
      *database_, [](Transaction& t) { return t.query("SELECT 'word'").front().integer(0); })));
  EXPECT_EQ(answer.error().code, "unexpected_column");
}

TEST_P(DatabaseConformance, ExecuteTellsHowManyRowsItChanged) {
  execute("CREATE TABLE things (a bigint)");
  auto changed = in_transaction([](Transaction& t) {
    std::vector<std::int64_t> counts{t.execute("INSERT INTO things VALUES (1), (2), (3)")};
    counts.push_back(t.execute("UPDATE things SET a = a + 1 WHERE a > $1", 1));
    counts.push_back(t.execute("DELETE FROM things WHERE a > 100"));
    return counts;
  });
  EXPECT_THAT(changed, testing::ElementsAre(3, 2, 0));
}

TEST_P(DatabaseConformance, WhatWasCommittedIsThereAfterReopening) {
  execute("CREATE TABLE things (a bigint)");
  execute("INSERT INTO things VALUES (1)");
  reopen();
  EXPECT_EQ(count("things"), 1);
}

TEST_P(DatabaseConformance, ABodyThatThrowsLeavesNothing) {
  execute("CREATE TABLE things (a bigint)");
  auto answer = loop_.run(async::attempt(transact(*database_, [](Transaction& t) {
    t.execute("INSERT INTO things VALUES (1)");
    throw Failure{{ErrorKind::denied, "changed_my_mind", "cannot go on", {}}};
  })));
  EXPECT_EQ(answer.error().code, "changed_my_mind");
  EXPECT_EQ(count("things"), 0);
}

TEST_P(DatabaseConformance, AWorkThatAnswersARefusalLeavesNothing) {
  execute("CREATE TABLE things (a bigint)");
  auto answer = in_transaction([](Transaction& t) -> Result<int> {
    t.execute("INSERT INTO things VALUES (1)");
    return fail(ErrorKind::denied, "not_today", "cannot add: not today");
  });
  EXPECT_EQ(answer.error().code, "not_today");
  EXPECT_EQ(count("things"), 0);
}

TEST_P(DatabaseConformance, AFailedStatementRollsTheWholeTransactionBack) {
  execute("CREATE TABLE things (a bigint PRIMARY KEY)");
  auto answer = loop_.run(async::attempt(transact(*database_, [](Transaction& t) {
    t.execute("INSERT INTO things VALUES (1)");
    t.execute("INSERT INTO things VALUES (1)");
  })));
  EXPECT_EQ(answer.error().code, "already_exists");
  EXPECT_EQ(count("things"), 0);
}

TEST_P(DatabaseConformance, ABrokenUniqueConstraintIsAConflict) {
  execute("CREATE TABLE things (a text UNIQUE)");
  execute("INSERT INTO things VALUES ('x')");
  auto error = refusal("INSERT INTO things VALUES ('x')");
  EXPECT_EQ(error.kind, ErrorKind::conflict);
  EXPECT_EQ(error.code, "already_exists");
}

TEST_P(DatabaseConformance, AReferenceToNothingIsAConflict) {
  execute("CREATE TABLE owners (id text PRIMARY KEY)");
  execute("CREATE TABLE things (owner text REFERENCES owners(id))");
  EXPECT_EQ(refusal("INSERT INTO things VALUES ('nobody')").code, "still_referenced");
}

TEST_P(DatabaseConformance, AMissingValueIsAConflict) {
  execute("CREATE TABLE things (a text NOT NULL)");
  EXPECT_EQ(refusal("INSERT INTO things VALUES (NULL)").code, "constraint_violated");
}

TEST_P(DatabaseConformance, AnImpossibleStatementIsOurFaultAndHarmsNoLaterOne) {
  EXPECT_EQ(refusal("SELEKT 1").kind, ErrorKind::internal);
  EXPECT_EQ(refusal("INSERT INTO no_such_table VALUES (1)").code, "database_error");
  execute("CREATE TABLE things (a bigint)");
  EXPECT_EQ(count("things"), 0);
}

TEST_P(DatabaseConformance, ManyDifferentStatementsWork) {
  auto sum = in_transaction([](Transaction& t) {
    std::int64_t total = 0;
    for (int i = 0; i < 300; ++i) {
      total += t.query("SELECT " + std::to_string(i)).front().integer(0);
    }
    return total;
  });
  EXPECT_EQ(sum, 300 * 299 / 2);
}

inline async::task<void> increment(Database& database) {
  co_await transact(database, [](Transaction& t) {
    auto value = t.query("SELECT a FROM counter").front().integer(0);
    t.execute("UPDATE counter SET a = $1", value + 1);
  });
}

inline async::task<void> increment_together(Database& database, int times) {
  async::TaskScope scope{co_await boost::asio::this_coro::executor};
  for (int i = 0; i < times; ++i) scope.spawn("increment", increment(database));
  co_await scope.join();
}

TEST_P(DatabaseConformance, TransactionsAtTheSameTimeLoseNoUpdate) {
  execute("CREATE TABLE counter (a bigint); INSERT INTO counter VALUES (0)");
  loop_.run(increment_together(*database_, 100));
  auto value = in_transaction(
      [](Transaction& t) { return t.query("SELECT a FROM counter").front().integer(0); });
  EXPECT_EQ(value, 100);
}

inline async::task<void> count_refusal(Database& database, int& refused) {
  auto done = co_await async::attempt(increment(database));
  if (!done && done.error().code == "workers_busy") ++refused;
}

inline async::task<int> crowd(Database& database, int size) {
  async::TaskScope scope{co_await boost::asio::this_coro::executor};
  int refused = 0;
  for (int i = 0; i < size; ++i) scope.spawn("crowd", count_refusal(database, refused));
  co_await scope.join();
  co_return refused;
}

TEST_P(DatabaseConformance, MoreThanTheQueueHoldsAreRefusedAndTheOthersDone) {
  execute("CREATE TABLE counter (a bigint); INSERT INTO counter VALUES (0)");
  EXPECT_GT(loop_.run(crowd(*database_, 1'500)), 0);
  execute("UPDATE counter SET a = 0");
}

inline async::task<void> insert_one(Database& database) {
  co_await transact(database, [](Transaction& t) { t.execute("INSERT INTO things VALUES (1)"); });
}

inline async::task<void> begin_and_cancel(Database& database) {
  async::TaskScope scope{co_await boost::asio::this_coro::executor};
  scope.spawn("insert", insert_one(database));
  co_await async::attempt(increment(database));  // lets the other one reach the database
  co_await scope.close();
}

TEST_P(DatabaseConformance, ACancelledCallerStillWaitsForTheCommit) {
  execute("CREATE TABLE things (a bigint)");
  execute("CREATE TABLE counter (a bigint); INSERT INTO counter VALUES (0)");
  loop_.run(begin_and_cancel(*database_));
  EXPECT_EQ(count("things"), 1);
}

inline constexpr Migration first_step{1, "things", "CREATE TABLE things (a bigint)"};
inline constexpr Migration second_step{2, "two more", R"(
    ALTER TABLE things ADD COLUMN b text;
    CREATE TABLE others (a bigint))"};
inline constexpr Migration broken_step{3, "broken", R"(
    CREATE TABLE halfway (a bigint);
    CREATE TABLE things (a bigint))"};

TEST_P(DatabaseConformance, MigrationsRunOnceAndInOrder) {
  constexpr std::array steps{first_step, second_step};
  loop_.run(migrate(*database_, "tools", std::span{steps}.first(1)));
  loop_.run(migrate(*database_, "tools", steps));
  loop_.run(migrate(*database_, "tools", steps));
  execute("INSERT INTO things (a, b) VALUES (1, 'x')");
  EXPECT_EQ(count("others"), 0);
  EXPECT_EQ(count("schema_versions"), 2);
}

TEST_P(DatabaseConformance, ComponentsHaveVersionsOfTheirOwn) {
  constexpr std::array tools{first_step};
  constexpr std::array toys{Migration{1, "toys", "CREATE TABLE toys (a bigint)"}};
  loop_.run(migrate(*database_, "tools", tools));
  loop_.run(migrate(*database_, "toys", toys));
  EXPECT_EQ(count("toys"), 0);
}

TEST_P(DatabaseConformance, AMigrationThatFailsLeavesTheOnesBeforeItAndNothingOfItself) {
  constexpr std::array steps{first_step, second_step, broken_step};
  EXPECT_FALSE(loop_.run(async::attempt(migrate(*database_, "tools", steps))));
  EXPECT_EQ(count("schema_versions"), 2);
  EXPECT_EQ(refusal("INSERT INTO halfway VALUES (1)").code, "database_error");
}

TEST_P(DatabaseConformance, ADatabaseOfANewerProgramIsRefusedWithAWayOut) {
  constexpr std::array steps{first_step, second_step};
  loop_.run(migrate(*database_, "tools", steps));
  auto older = loop_.run(async::attempt(migrate(*database_, "tools", std::span{steps}.first(1))));
  EXPECT_EQ(older.error().code, "database_newer");
  EXPECT_FALSE(older.error().remedy.empty());
}

}  // namespace gantry::storage
