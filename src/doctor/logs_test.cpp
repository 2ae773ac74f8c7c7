// What driver json-file has written.
#include "base/random.hpp"
#include "doctor/machine.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::doctor {
namespace {

namespace fs = std::filesystem;

class LogsIn : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("gantry-logs-" + random::word(12));
    write("a/a-json.log", 100);
    write("a/a-json.log.1", 50);
    write("b/b-json.log", 900);
    write("b/hostconfig.json", 5'000);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const fs::path& name, std::size_t size) const {
    auto path = folder_ / "containers" / name;
    fs::create_directories(path.parent_path());
    std::ofstream{path} << std::string(size, 'x');
  }

  fs::path folder_;
};

TEST_F(LogsIn, AreCountedAndTheLargestNamed) {
  auto logs = logs_in(folder_.string(), steady_now() + Seconds{60});
  ASSERT_TRUE(logs);
  EXPECT_EQ(logs->files, 3U);
  EXPECT_EQ(logs->bytes, 1'050U);
  EXPECT_EQ(logs->largest, (folder_ / "containers/b/b-json.log").string());
  EXPECT_EQ(logs->largest_bytes, 900U);
  EXPECT_TRUE(logs->whole);
}

TEST_F(LogsIn, AreNotAllWhereTimeIsUp) {
  auto logs = logs_in(folder_.string(), steady_now() - Seconds{1});
  ASSERT_TRUE(logs);
  EXPECT_FALSE(logs->whole);
  EXPECT_LT(logs->files, 3U);
}

TEST_F(LogsIn, AreUnknownWhereNothingCanBeSeen) {
  EXPECT_FALSE(logs_in((folder_ / "nowhere").string(), steady_now() + Seconds{60}));
  EXPECT_FALSE(logs_in("", steady_now() + Seconds{60}));
}

TEST_F(LogsIn, FollowNoLinks) {
  fs::create_symlink(folder_ / "containers/b/hostconfig.json", folder_ / "containers/b/c-json.log");
  fs::create_directory_symlink(folder_ / "containers/b", folder_ / "containers/d");
  auto logs = logs_in(folder_.string(), steady_now() + Seconds{60});
  ASSERT_TRUE(logs);
  EXPECT_EQ(logs->files, 3U);
}

TEST_F(LogsIn, AreLookedForWhereNobodyElseCanPutAnotherFolder) {
  auto inner = folder_ / "containers";
  for (const auto& one : {folder_, inner}) fs::permissions(one, fs::perms{0755});
  EXPECT_EQ(trusted_folder(inner.string()), fs::canonical(inner));
  auto link = folder_ / "link";
  fs::create_directory_symlink(inner, link);
  EXPECT_EQ(trusted_folder(link.string()), fs::canonical(inner));
  fs::permissions(folder_, fs::perms{0757});
  EXPECT_EQ(trusted_folder(inner.string()), "");
  EXPECT_EQ(trusted_folder((folder_ / "nowhere").string()), "");
  EXPECT_EQ(trusted_folder(""), "");
}

TEST_F(LogsIn, AreUnboundedWithoutSettingsAndUnknownWithOthersThatCanNotBeRead) {
  auto settings = folder_ / "daemon.json";
  EXPECT_EQ(daemon_settings_in(settings), "{}");
  fs::create_symlink(settings, settings);
  EXPECT_EQ(daemon_settings_in(settings), std::nullopt);
}

TEST(DiskAt, TellsTheRoomOfAFolder) {
  auto disk = disk_at(fs::temp_directory_path().string());
  ASSERT_TRUE(disk);
  EXPECT_GT(disk->bytes, 0U);
  EXPECT_FALSE(disk->read_only);
  EXPECT_FALSE(disk_at("/no/such/folder"));
  EXPECT_FALSE(disk_at(""));
}

}  // namespace
}  // namespace gantry::doctor
