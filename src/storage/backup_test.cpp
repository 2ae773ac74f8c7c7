#include "storage/backup.hpp"

#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "base/encoding.hpp"
#include "storage/migrations.hpp"
#include "storage/postgres_server_fake.hpp"
#include "storage/testing_fake.hpp"

#include <cmath>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::storage {
namespace {
namespace fs = std::filesystem;

constexpr std::array steps{Migration{1, "first", R"(
        CREATE TABLE z_owners (id text PRIMARY KEY, about text, size double precision);
        CREATE TABLE a_things (owner text NOT NULL REFERENCES z_owners (id), number bigint,
          content bytea, "key" text);
        CREATE TABLE empty_one (a bigint))"},
                           Migration{2, "second", "CREATE TABLE more (a bigint)"}};

/// From which kind of database to which.
struct Way {
  std::string_view from;
  std::string_view to;
};

class BackupTest : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    bool postgres = GetParam().from == "postgresql" || GetParam().to == "postgresql";
    auto reason = postgres ? PostgresServer::missing() : std::string{};
    if (!reason.empty() && std::getenv("CI") != nullptr) FAIL() << reason;
    if (!reason.empty()) GTEST_SKIP() << reason;
    from_ = opened(GetParam().from, "from");
    loop_.run(migrate(*from_, "test", steps));
    loop_.run(transact(*from_, [](Transaction& t) { fill(t); }));
  }

  std::unique_ptr<Database> opened(std::string_view kind, const std::string& name) {
    auto folder = folder_.path() / name;
    auto schema = "b" + encoding::sha256_hex(folder.string()).substr(0, 20);
    auto url = kind == "postgresql" ? PostgresServer::shared().url(schema) : std::string{};
    return loop_.run(open(url, folder));
  }
  static void fill(Transaction& t) {
    t.execute("INSERT INTO z_owners VALUES ($1, $2, $3)", "ann", std::string{"a\0\xff 字 \x1a", 8},
              0.1);
    t.execute("INSERT INTO z_owners VALUES ($1, $2, $3)", "ben", "", 1e300);
    t.execute("INSERT INTO z_owners VALUES ($1, $2, $3)", "cy", std::nullopt, std::nullopt);
    for (int i = 0; i < 175; ++i) {
      t.execute("INSERT INTO a_things VALUES ($1, $2, $3, $4)", "ann", INT64_MIN + i,
                Blob{std::string{"\0\xff\n", 3}}, "line\nbreak \"quoted\"");
    }
  }
  /// Every row of every table as text, in one order.
  std::vector<std::string> everything(Database& database) {
    return loop_.run(transact(database, [](Transaction& t) {
      std::vector<std::string> all;
      for (const auto* sql :
           {"SELECT id, about, size FROM z_owners ORDER BY id",
            "SELECT owner, number, content, \"key\" FROM a_things ORDER BY number",
            "SELECT a, a, a FROM empty_one", "SELECT a, a, a FROM more"}) {
        for (const auto& row : t.query(sql)) all.push_back(text_of(row));
      }
      return all;
    }));
  }
  static std::string text_of(const Row& row) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto& value = row.value(i);
      text += std::to_string(value.index());
      if (const auto* number = std::get_if<std::int64_t>(&value)) text += std::to_string(*number);
      if (const auto* real = std::get_if<double>(&value)) text += std::to_string(std::log(*real));
      if (const auto* words = std::get_if<std::string>(&value)) text += *words;
      if (const auto* blob = std::get_if<Blob>(&value)) text += encoding::hex(blob->bytes);
      text += '|';
    }
    return text;
  }
  fs::path file() const { return folder_.path() / "copy.backup"; }
  BackupRows write() {
    return loop_.run(
        write_backup(*from_, file(), {.program = "9.9", .made_at = {}}, Replace::refused));
  }
  Error restoring(Database& database) {
    auto restored = loop_.run(async::attempt(restore_backup(database, file())));
    return restored ? Error{.code = "it worked"} : restored.error();
  }
  std::string bytes() const {
    std::ifstream in{file(), std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  void put(std::string_view text) const { std::ofstream{file(), std::ios::binary} << text; }

  TemporaryFolder folder_;
  async::TestLoop loop_;
  std::unique_ptr<Database> from_;
};

TEST_P(BackupTest, EveryTableComesBackAsItWas) {
  auto written = write();
  EXPECT_THAT(written,
              testing::ElementsAre(testing::Pair("a_things", 175), testing::Pair("empty_one", 0),
                                   testing::Pair("more", 0), testing::Pair("z_owners", 3)));
  auto to = opened(GetParam().to, "to");
  EXPECT_TRUE(loop_.run(is_empty(*to)));
  loop_.run(migrate(*to, "test", steps));
  EXPECT_FALSE(loop_.run(is_empty(*to)));
  EXPECT_EQ(loop_.run(restore_backup(*to, file())), written);
  EXPECT_EQ(everything(*to), everything(*from_));
  EXPECT_EQ(everything(*to).size(), 178U);
}

TEST_P(BackupTest, WhatWasThereBeforeGoes) {
  write();
  auto to = opened(GetParam().to, "to");
  loop_.run(migrate(*to, "test", steps));
  loop_.run(transact(*to, [](Transaction& t) {
    fill(t);
    t.execute("INSERT INTO more VALUES (1)");
  }));
  loop_.run(restore_backup(*to, file()));
  EXPECT_EQ(everything(*to), everything(*from_));
}

TEST_P(BackupTest, ADatabaseOfAnOlderProgramRefusesIt) {
  write();
  auto to = opened(GetParam().to, "to");
  loop_.run(migrate(*to, "test", std::span{steps}.first(1)));
  EXPECT_EQ(restoring(*to).code, "backup_newer");
  auto owners = loop_.run(
      transact(*to, [](Transaction& t) { return t.query("SELECT id FROM z_owners").size(); }));
  EXPECT_EQ(owners, 0U);
}

INSTANTIATE_TEST_SUITE_P(Sqlite, BackupTest, testing::Values(Way{"sqlite", "sqlite"}));
INSTANTIATE_TEST_SUITE_P(Postgresql, BackupTest,
                         testing::Values(Way{"sqlite", "postgresql"}, Way{"postgresql", "sqlite"},
                                         Way{"postgresql", "postgresql"}));

using BackupFileTest = BackupTest;

TEST_P(BackupFileTest, ItIsForItsOwnerOnlyAndSaysWhatItIs) {
  write();
  struct stat found{};
  ASSERT_EQ(::stat(file().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  EXPECT_EQ(found.st_nlink, 1U);
  auto head = check_backup(file());
  ASSERT_TRUE(head);
  EXPECT_EQ(head->program, "9.9");
  EXPECT_THAT(head->schema, testing::ElementsAre(testing::Pair("test", 2)));
}

TEST_P(BackupFileTest, ANamelessOneHoldsTheSameAndLeavesNothing) {
  write();
  auto file = loop_.run(
      nameless_backup(*from_, folder_.path() / "from", {.program = "9.9", .made_at = {}}));
  std::string text(1U << 20U, '\0');
  auto length = ::read(file.get(), text.data(), text.size());
  ASSERT_GT(length, 0);
  text.resize(static_cast<std::size_t>(length));
  EXPECT_EQ(text, bytes());
  for (const auto& entry : fs::directory_iterator{folder_.path() / "from"}) {
    EXPECT_THAT(entry.path().filename().string(), testing::StartsWith("gantry."));
  }
}

TEST_P(BackupFileTest, OneThatIsThereIsNotReplacedUnasked) {
  put("precious");
  auto written = loop_.run(async::attempt(
      write_backup(*from_, file(), {.program = "9.9", .made_at = {}}, Replace::refused)));
  EXPECT_EQ(written.error().code, "already_exists");
  EXPECT_EQ(bytes(), "precious");
  loop_.run(write_backup(*from_, file(), {.program = "9.9", .made_at = {}}, Replace::allowed));
  EXPECT_TRUE(check_backup(file()));
}

TEST_P(BackupFileTest, OneThatIsCutShortOrChangedIsRefusedWhereverThatIs) {
  write();
  auto whole = bytes();
  for (std::size_t length = 0; length < whole.size(); length += 97) {
    put(whole.substr(0, length));
    EXPECT_FALSE(check_backup(file())) << length;
    auto changed = whole;
    changed[length] = static_cast<char>(changed[length] ^ 1);
    put(changed);
    EXPECT_FALSE(check_backup(file())) << length;
  }
  put(whole + "\n[]\n");
  EXPECT_FALSE(check_backup(file()));
}

TEST_P(BackupFileTest, OneThatTurnsOutToBeDamagedChangesNothing) {
  write();
  auto changed = bytes();
  auto at = changed.rfind("sha256");
  changed[at + 9] = changed[at + 9] == '0' ? '1' : '0';
  put(changed);
  auto before = everything(*from_);
  EXPECT_EQ(restoring(*from_).code, "bad_backup");
  EXPECT_EQ(everything(*from_), before);
}

TEST_P(BackupFileTest, AFullDiskLeavesNothingUnderItsName) {
  auto folder = folder_.path() / "small";
  fs::create_directory(folder);
  if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=8k") != 0) {
    GTEST_SKIP() << "needs the right to mount a small file system";
  }
  auto written = loop_.run(async::attempt(
      write_backup(*from_, folder / "copy", {.program = "9.9", .made_at = {}}, Replace::refused)));
  EXPECT_EQ(written.error().code, "backup_unwritable");
  EXPECT_TRUE(fs::is_empty(folder));
  ::umount2(folder.c_str(), MNT_DETACH);
}

INSTANTIATE_TEST_SUITE_P(Sqlite, BackupFileTest, testing::Values(Way{"sqlite", "sqlite"}));

}  // namespace
}  // namespace gantry::storage
