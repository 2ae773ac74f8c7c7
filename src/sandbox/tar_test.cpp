#include "sandbox/tar.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>

namespace gantry::sandbox::tar {
namespace {

/// An archive with one member of any type.
std::string archive_with(const char* name, unsigned type, std::string_view content,
                         const char* link = nullptr) {
  std::string out(64U << 10U, '\0');
  std::size_t used = 0;
  auto* writer = archive_write_new();
  archive_write_set_format_ustar(writer);
  archive_write_open_memory(writer, out.data(), out.size(), &used);
  auto* entry = archive_entry_new();
  archive_entry_set_pathname(entry, name);
  archive_entry_set_filetype(entry, type);
  archive_entry_set_perm(entry, 0777);
  archive_entry_set_size(entry, static_cast<std::int64_t>(content.size()));
  if (link != nullptr && type == AE_IFLNK) archive_entry_set_symlink(entry, link);
  if (link != nullptr && type != AE_IFLNK) archive_entry_set_hardlink(entry, link);
  archive_write_header(writer, entry);
  archive_write_data(writer, content.data(), content.size());
  archive_entry_free(entry);
  archive_write_free(writer);
  out.resize(used);
  return out;
}

TEST(TarTest, WhatWasPackedIsReadBack) {
  std::string content(100'000, '\x7f');
  auto archive = of_executable("gantry-init", content);
  EXPECT_EQ(archive.size() % 512, 0U);
  EXPECT_EQ(regular_file(archive, "gantry-init", content.size()), content);
}

TEST(TarTest, TheSameProgramIsTheSameArchive) {
  EXPECT_EQ(of_executable("a", "b"), of_executable("a", "b"));
}

TEST(TarTest, AnotherNameIsNotFound) {
  EXPECT_EQ(regular_file(of_executable("a", "x"), "b", 10), std::nullopt);
}

TEST(TarTest, AFileOverTheLimitIsNotRead) {
  auto archive = of_executable("a", "0123456789");
  EXPECT_EQ(regular_file(archive, "a", 9), std::nullopt);
  EXPECT_EQ(regular_file(archive, "a", 10), "0123456789");
}

TEST(TarTest, LinksAndFoldersAreNotFiles) {
  EXPECT_EQ(regular_file(archive_with("a", AE_IFREG, "x"), "a", 10), "x");
  EXPECT_EQ(regular_file(archive_with("a", AE_IFLNK, "", "/etc/passwd"), "a", 10), std::nullopt);
  EXPECT_EQ(regular_file(archive_with("a", AE_IFREG, "", "b"), "a", 10), std::nullopt);
  EXPECT_EQ(regular_file(archive_with("a", AE_IFDIR, ""), "a", 10), std::nullopt);
  EXPECT_EQ(regular_file(archive_with("a", AE_IFIFO, ""), "a", 10), std::nullopt);
}

TEST(TarTest, AnArchiveThatBreaksOffIsNotRead) {
  auto archive = of_executable("a", std::string(5'000, 'x'));
  EXPECT_EQ(regular_file(archive.substr(0, 2'000), "a", 5'000), std::nullopt);
  EXPECT_EQ(regular_file(archive.substr(0, 100), "a", 5'000), std::nullopt);
}

TEST(TarTest, WhatIsNoArchiveHoldsNothing) {
  EXPECT_EQ(regular_file("", "a", 10), std::nullopt);
  EXPECT_EQ(regular_file(std::string(4'096, '\0'), "a", 10), std::nullopt);
  EXPECT_EQ(regular_file(std::string(4'096, 'q'), "a", 10), std::nullopt);
}

}  // namespace
}  // namespace gantry::sandbox::tar
