#include "storage/sqlite.hpp"

#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "storage/testing_fake.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::storage {
namespace {
namespace fs = std::filesystem;

class SqliteTest : public testing::Test {
 protected:
  fs::path data() const { return folder_.path() / "data"; }
  fs::path file() const { return data() / "gantry.db"; }
  std::unique_ptr<Database> opened(std::string url = {}) {
    return loop_.run(open(std::move(url), data()));
  }
  Error refused(std::string url = {}) {
    auto answer = loop_.run(async::attempt(open(std::move(url), data())));
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
  static unsigned mode(const fs::path& path) {
    struct stat found{};
    EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
    return found.st_mode & 0777U;
  }

  TemporaryFolder folder_;
  async::TestLoop loop_;
};

TEST_F(SqliteTest, FilesAreForTheirOwnerOnly) {
  auto database = opened();
  ASSERT_TRUE(execute(*database, "CREATE TABLE things (a bigint)"));
  EXPECT_EQ(mode(data()), 0700U);
  EXPECT_EQ(mode(file()), 0600U);
  EXPECT_EQ(mode(data() / "gantry.db-wal"), 0600U);
  EXPECT_EQ(mode(data() / "gantry.lock"), 0600U);
}

TEST_F(SqliteTest, DataIsSafeByItsSettings) {
  auto database = opened();
  auto setting = [&](std::string name) {
    return loop_.run(
        transact(*database, [name](Transaction& t) { return t.query("PRAGMA " + name).front(); }));
  };
  EXPECT_EQ(setting("journal_mode").text(0), "wal");
  EXPECT_EQ(setting("synchronous").integer(0), 2);
  EXPECT_EQ(setting("foreign_keys").integer(0), 1);
  EXPECT_EQ(setting("trusted_schema").integer(0), 0);
  EXPECT_EQ(setting("cell_size_check").integer(0), 1);
  EXPECT_EQ(setting("locking_mode").text(0), "exclusive");
}

TEST_F(SqliteTest, ASecondServerIsRefusedAndToldWhoIsThere) {
  auto first = opened();
  auto error = refused();
  EXPECT_EQ(error.code, "already_running");
  EXPECT_EQ(error.kind, ErrorKind::conflict);
  EXPECT_THAT(error.message, testing::HasSubstr("process " + std::to_string(::getpid())));
  EXPECT_FALSE(error.remedy.empty());
}

TEST_F(SqliteTest, AfterTheFirstHasEndedTheSecondMayStart) {
  opened().reset();
  EXPECT_TRUE(opened());
}

TEST_F(SqliteTest, TwoFoldersWithOneFileStillExcludeEachOther) {
  auto first = opened();
  auto second =
      loop_.run(async::attempt(open("sqlite:" + file().string(), folder_.path() / "another")));
  EXPECT_EQ(second.error().code, "database_busy");
}

TEST_F(SqliteTest, APathOfOnesOwnIsTaken) {
  auto database = opened("sqlite:" + (folder_.path() / "own.db").string());
  EXPECT_TRUE(fs::exists(folder_.path() / "own.db"));
  EXPECT_THAT(database->describe(), testing::HasSubstr("own.db"));
}

TEST_F(SqliteTest, APathNeedsNoScheme) {
  auto database = opened((folder_.path() / "odd:name.db").string());
  EXPECT_TRUE(fs::exists(folder_.path() / "odd:name.db"));
}

TEST_F(SqliteTest, AFileThatIsSomethingElseIsRefused) {
  fs::create_directory(data());
  std::ofstream{file()} << std::string(5'000, 'x');
  auto error = refused();
  EXPECT_EQ(error.code, "not_a_database");
  EXPECT_FALSE(error.remedy.empty());
}

TEST_F(SqliteTest, DamageIsFoundAtStartWithAWayBack) {
  auto database = opened();
  ASSERT_TRUE(execute(*database, "CREATE TABLE things (a text, b text)"));
  ASSERT_TRUE(execute(*database, R"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
      SELECT i + 1 FROM n WHERE i < 2000)
      INSERT INTO things SELECT hex(randomblob(50)), i FROM n)"));
  database.reset();
  std::fstream bytes{file(), std::ios::in | std::ios::out | std::ios::binary};
  bytes.seekp(3 * 4096);
  bytes << std::string(200, '\xff');
  bytes.close();
  auto error = refused();
  EXPECT_EQ(error.code, "database_corrupt");
  EXPECT_THAT(error.remedy, testing::HasSubstr("backup"));
}

TEST_F(SqliteTest, AFolderThatCanNotBeMadeIsNamed) {
  std::ofstream{folder_.path() / "data"} << "a file";
  auto error = refused();
  EXPECT_EQ(error.code, "data_directory_unusable");
  EXPECT_THAT(error.message, testing::HasSubstr(data().string() + "': it is not a folder"));
  EXPECT_THAT(error.remedy, testing::Not(testing::HasSubstr("right to write")));
}

TEST_F(SqliteTest, AFullDatabaseRefusesWritesGoesOnReadingAndHeals) {
  auto database = opened();
  ASSERT_TRUE(execute(*database, "CREATE TABLE things (a text)"));
  ASSERT_TRUE(execute(*database, "INSERT INTO things VALUES ('kept')"));
  ASSERT_TRUE(execute(*database, "PRAGMA max_page_count = 20"));
  auto full = execute(*database, "INSERT INTO things SELECT hex(zeroblob(200000))");
  EXPECT_EQ(full.error().kind, ErrorKind::exhausted);
  EXPECT_EQ(full.error().code, "disk_full");
  EXPECT_EQ(count(*database), 1);
  ASSERT_TRUE(execute(*database, "PRAGMA max_page_count = 100000"));
  EXPECT_TRUE(execute(*database, "INSERT INTO things SELECT hex(zeroblob(200000))"));
}

TEST_F(SqliteTest, AFullDiskRefusesWritesGoesOnReadingAndHeals) {
  fs::create_directory(data());
  if (::mount("tmpfs", data().c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "needs the right to mount a small file system";
  }
  {
    auto database = opened();
    ASSERT_TRUE(execute(*database, "CREATE TABLE things (a text)"));
    ASSERT_TRUE(execute(*database, "INSERT INTO things VALUES ('kept')"));
    std::ofstream{data() / "ballast"} << std::string(600'000, 'x');
    auto full = execute(*database, "INSERT INTO things SELECT hex(zeroblob(250000))");
    EXPECT_EQ(full.error().code, "disk_full");
    EXPECT_EQ(count(*database), 1);
    fs::remove(data() / "ballast");
    EXPECT_TRUE(execute(*database, "INSERT INTO things VALUES ('after')"));
    EXPECT_EQ(count(*database), 2);
  }
  ::umount2(data().c_str(), MNT_DETACH);
}

TEST_F(SqliteTest, AnUnknownKindOfDatabaseIsRefused) {
  EXPECT_EQ(refused("mysql://x").code, "database_unsupported");
  EXPECT_EQ(refused("sqlite:").code, "database_unsupported");
}

}  // namespace
}  // namespace gantry::storage
