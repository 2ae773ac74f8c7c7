#include "doctor/env_file.hpp"

#include "doctor/acl.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace gantry::doctor {
namespace {

namespace fs = std::filesystem;

std::string with_gid(std::string_view text) { return with_variable(text, "DOCKER_GID", "998"); }

TEST(EnvText, GetsTheVariableAtItsEnd) {
  EXPECT_EQ(with_gid(""), "DOCKER_GID=998\n");
  EXPECT_EQ(with_gid("A=1\n"), "A=1\nDOCKER_GID=998\n");
}

TEST(EnvText, IsChangedInPlace) {
  EXPECT_EQ(with_gid("A=1\nDOCKER_GID=999\nB=2\n"), "A=1\nDOCKER_GID=998\nB=2\n");
}

TEST(EnvText, KeepsCommentsBlanksAndExports) {
  EXPECT_EQ(with_gid("# gid of docker\n\n  export DOCKER_GID = 999  # of the NAS\n"),
            "# gid of docker\n\n  export DOCKER_GID = 998  # of the NAS\n");
}

TEST(EnvText, ReplacesQuotedValuesWhole) {
  EXPECT_EQ(with_gid("DOCKER_GID=\"999 # no comment\" # a comment\n"),
            "DOCKER_GID=998 # a comment\n");
  EXPECT_EQ(with_gid("DOCKER_GID='999'\n"), "DOCKER_GID=998\n");
}

TEST(EnvText, KeepsLineEndsOfWindows) {
  EXPECT_EQ(with_gid("A=1\r\nDOCKER_GID=999\r\n"), "A=1\r\nDOCKER_GID=998\r\n");
  EXPECT_EQ(with_gid("A=1\r\n"), "A=1\r\nDOCKER_GID=998\r\n");
}

TEST(EnvText, KeepsAMissingLastLineEnd) {
  EXPECT_EQ(with_gid("DOCKER_GID=999"), "DOCKER_GID=998");
  EXPECT_EQ(with_gid("A=1"), "A=1\nDOCKER_GID=998\n");
}

TEST(EnvText, DoesNotTouchNamesThatBeginAlikeNorComments) {
  constexpr std::string_view text = "DOCKER_GID_OLD=1\n#DOCKER_GID=999\nMY_DOCKER_GID=2\n";
  EXPECT_EQ(with_gid(text), std::string{text} + "DOCKER_GID=998\n");
}

TEST(EnvText, ChangesEveryLineOfTheVariable) {
  EXPECT_EQ(with_gid("DOCKER_GID=1\nDOCKER_GID=2\n"), "DOCKER_GID=998\nDOCKER_GID=998\n");
}

TEST(EnvText, FillsAnEmptyValue) { EXPECT_EQ(with_gid("DOCKER_GID=\n"), "DOCKER_GID=998\n"); }

TEST(EnvText, KeepsACommentInPlaceOfAValue) {
  EXPECT_EQ(with_gid("DOCKER_GID=  # of the NAS\n"), "DOCKER_GID=998  # of the NAS\n");
}

TEST(EnvText, TellsTheLastValueWithoutQuotes) {
  EXPECT_EQ(variable_in("DOCKER_GID=1\nDOCKER_GID=\"2\"\n", "DOCKER_GID"), "2");
  EXPECT_EQ(variable_in("A=1\n", "DOCKER_GID"), "");
}

TEST(EnvText, KeepsACommentBehindATabulator) {
  EXPECT_EQ(with_gid("DOCKER_GID=997\t# group, see #12\n"), "DOCKER_GID=998\t# group, see #12\n");
}

TEST(EnvText, LeavesValuesOfSeveralLinesAlone) {
  constexpr std::string_view text = "X=\"a\nDOCKER_GID=5\nb\"\n";
  EXPECT_EQ(with_gid(text), std::string{text} + "DOCKER_GID=998\n");
  EXPECT_EQ(variable_in(text, "DOCKER_GID"), "");
  // A quote that nobody closes is a character.
  EXPECT_EQ(with_gid("X=\"a\nDOCKER_GID=5\n"), "X=\"a\nDOCKER_GID=998\n");
  EXPECT_EQ(with_gid("# it's\nDOCKER_GID=5\n# it's\n"), "# it's\nDOCKER_GID=998\n# it's\n");
}

class EnvFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("gantry-env-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path file() const { return folder_ / ".env"; }
  void write(const std::string& text) const { std::ofstream{file()} << text; }
  std::string read(const fs::path& path) const {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  std::size_t count() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator{folder_}, fs::directory_iterator{}));
  }

  fs::path folder_;
};

TEST_F(EnvFile, IsMadeWhereThereIsNone) {
  ASSERT_TRUE(set_variable(file(), "DOCKER_GID", "998"));
  EXPECT_EQ(read(file()), "DOCKER_GID=998\n");
}

TEST_F(EnvFile, KeepsItsMode) {
  write("SECRET=1\n");
  ::chmod(file().c_str(), 0600);
  ASSERT_TRUE(set_variable(file(), "DOCKER_GID", "998"));
  struct stat status{};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_EQ(count(), 1U);
}

TEST_F(EnvFile, IsWrittenWhereASymbolicLinkLeads) {
  auto target = folder_ / "shared.env";
  std::ofstream{target} << "A=1\n";
  fs::create_symlink("shared.env", file());
  ASSERT_TRUE(set_variable(file(), "DOCKER_GID", "998"));
  EXPECT_TRUE(fs::is_symlink(file()));
  EXPECT_EQ(read(target), "A=1\nDOCKER_GID=998\n");
}

TEST_F(EnvFile, IsLeftAloneWhenItIsReadOnly) {
  write("A=1\n");
  ::chmod(file().c_str(), 0444);
  auto done = set_variable(file(), "DOCKER_GID", "998");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "env_file_unwritable");
  EXPECT_EQ(read(file()), "A=1\n");
  EXPECT_EQ(count(), 1U);
}

TEST_F(EnvFile, IsNoPipeThatNobodyWritesTo) {
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  auto done = set_variable(file(), "DOCKER_GID", "998");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "env_file_unwritable");
  EXPECT_EQ(env_file_text(file()), std::nullopt);
}

TEST_F(EnvFile, KeepsItsAccessControlList) {
  write("A=1\n");
  // user::rw-, user:1234:rw-, group::---, mask::rw-, other::---
  constexpr std::string_view list{
      "\x02\0\0\0"
      "\x01\0\x06\0\xff\xff\xff\xff"
      "\x02\0\x06\0\xd2\x04\0\0"
      "\x04\0\0\0\xff\xff\xff\xff"
      "\x10\0\x06\0\xff\xff\xff\xff"
      "\x20\0\0\0\xff\xff\xff\xff",
      44};
  constexpr const char* name = "system.posix_acl_access";
  if (::setxattr(file().c_str(), name, list.data(), list.size(), 0) != 0) {
    GTEST_SKIP() << "this file system has no lists";
  }
  ASSERT_TRUE(set_variable(file(), "DOCKER_GID", "998"));
  EXPECT_EQ(acl_attribute(file()), std::string{list});
}

TEST_F(EnvFile, KeepsAnAccessControlListOfManyNames) {
  // Of tmpfs: other file systems have no room for so many.
  auto shared = fs::path{"/dev/shm"} / folder_.filename();
  std::ofstream{shared} << "A=1\n";
  std::string list{"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff", 12};
  for (unsigned id = 0; id < 1'000; ++id) {
    list += std::string{"\x02\0\x04\0", 4};
    list += {static_cast<char>(id & 0xffU), static_cast<char>(id >> 8U), '\0', '\0'};
  }
  list += std::string{
      "\x04\0\0\0\xff\xff\xff\xff"
      "\x10\0\x04\0\xff\xff\xff\xff"
      "\x20\0\0\0\xff\xff\xff\xff",
      24};
  bool has_lists =
      ::setxattr(shared.c_str(), "system.posix_acl_access", list.data(), list.size(), 0) == 0;
  auto done = has_lists ? set_variable(shared, "DOCKER_GID", "998") : ok;
  auto after = acl_attribute(shared);
  fs::remove(shared);
  if (!has_lists) GTEST_SKIP() << "/dev/shm has no lists";
  EXPECT_TRUE(done);
  EXPECT_EQ(after, list);
}

TEST_F(EnvFile, IsNotWrittenAsRootWhereALinkOfSomebodyLeadsToAnothersFile) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root has two owners";
  auto target = folder_ / "secrets";
  std::ofstream{target} << "A=1\n";
  fs::create_symlink(target, file());
  ASSERT_EQ(::lchown(file().c_str(), 1234, 1234), 0);
  auto done = set_variable(file(), "DOCKER_GID", "998");
  ASSERT_FALSE(done);
  EXPECT_EQ(read(target), "A=1\n");
}

TEST_F(EnvFile, IsRefusedWhereAFolderIs) {
  fs::create_directory(file());
  auto done = set_variable(file(), "DOCKER_GID", "998");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "env_file_unwritable");
}

TEST_F(EnvFile, IsLeftAloneWhenItIsTooLarge) {
  write(std::string((1U << 20U) + 1, '#'));
  auto done = set_variable(file(), "DOCKER_GID", "998");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "env_file_too_large");
}

}  // namespace
}  // namespace gantry::doctor
