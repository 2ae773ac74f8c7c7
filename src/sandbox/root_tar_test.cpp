#include "sandbox/root_tar.hpp"

#include "base/error.hpp"
#include "base/random.hpp"

#include <clocale>
#include <map>

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>

namespace gantry::sandbox::root_tar {
namespace {

namespace fs = std::filesystem;
using ::testing::Optional;

/// One thing in an archive, as a line of `tar -tv` would show it.
struct Item {
  Item(unsigned of_type, unsigned with_mode, std::string with_content = {},
       std::string other_name = {}, int owned_by = 0, std::int64_t at = 1'700'000'000)
      : type{of_type},
        mode{with_mode},
        content{std::move(with_content)},
        hardlink{std::move(other_name)},
        owner{owned_by},
        time{at} {}
  unsigned type;
  unsigned mode;
  std::string content;  ///< Or what a link points to.
  std::string hardlink;
  int owner;
  std::int64_t time;
};
using Items = std::vector<std::pair<std::string, Item>>;

void write_archive(const fs::path& path, const Items& items) {
  auto* writer = archive_write_new();
  archive_write_set_format_pax_restricted(writer);
  archive_write_open_filename(writer, path.c_str());
  for (const auto& [name, item] : items) {
    auto* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, item.type);
    archive_entry_set_perm(entry, item.mode);
    archive_entry_set_uid(entry, item.owner);
    archive_entry_set_mtime(entry, item.time, 0);
    if (item.type == AE_IFLNK) archive_entry_set_symlink(entry, item.content.c_str());
    if (!item.hardlink.empty()) archive_entry_set_hardlink(entry, item.hardlink.c_str());
    bool has_content = item.type == AE_IFREG && item.hardlink.empty();
    archive_entry_set_size(entry, has_content ? std::ssize(item.content) : 0);
    archive_write_header(writer, entry);
    if (has_content) archive_write_data(writer, item.content.data(), item.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
}

Items read_archive(const fs::path& path) {
  auto* reader = archive_read_new();
  archive_read_support_format_tar(reader);
  archive_read_open_filename(reader, path.c_str(), 10240);
  Items items;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
    Item item{archive_entry_filetype(entry),
              archive_entry_perm(entry),
              {},
              {},
              static_cast<int>(archive_entry_uid(entry)),
              archive_entry_mtime(entry)};
    if (const auto* target = archive_entry_symlink(entry)) item.content = target;
    if (const auto* other = archive_entry_hardlink(entry)) item.hardlink = other;
    std::string content(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
    archive_read_data(reader, content.data(), content.size());
    if (!content.empty()) item.content = content;
    std::string name = archive_entry_pathname(entry);
    if (name.ends_with('/')) name.pop_back();
    items.emplace_back(name, item);
  }
  archive_read_free(reader);
  return items;
}

class RootTar : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  /// What becomes of the packages' files.
  std::map<std::string, Item> rebuilt(const Items& packages, const std::vector<Link>& links = {}) {
    write_archive(folder_ / "in.tar", packages);
    rebuild(folder_ / "in.tar", folder_ / "out.tar", {links, {}});
    std::map<std::string, Item> found;
    for (auto& [name, item] : read_archive(folder_ / "out.tar")) {
      EXPECT_TRUE(found.emplace(name, item).second) << name << " comes twice";
    }
    return found;
  }

  fs::path folder_ = fs::temp_directory_path() / ("gantry-root-tar-" + random::word(8));
};

TEST(KeptPath, IsWithoutItsDot) {
  EXPECT_THAT(kept_path("./usr/bin/python3"), Optional(std::string{"usr/bin/python3"}));
  EXPECT_THAT(kept_path("./etc/"), Optional(std::string{"etc"}));
}

TEST(KeptPath, IsNothingForWhatAnImageDoesNotNeed) {
  for (const auto* path : {"./", "./dev/null", "./var/cache/apt/archives", "./var/lib/apt/lists",
                           "./usr/share/doc/x", "./usr/share/man", "./etc/apt", "./etc/hosts"}) {
    EXPECT_EQ(kept_path(path), std::nullopt) << path;
  }
}

TEST(KeptPath, LooksAtWholeNames) {
  EXPECT_THAT(kept_path("./usr/share/docs"), Optional(std::string{"usr/share/docs"}));
  EXPECT_THAT(kept_path("./usr/share/nodejs/@types/node", {"usr/share/nodejs/@types"}),
              Optional(std::string{"usr/share/nodejs/@types/node"}));
  EXPECT_THAT(kept_path("./development"), Optional(std::string{"development"}));
}

TEST_F(RootTar, KeepsFilesWithTheirContentAsRootsAndWithoutTheirTime) {
  auto root = rebuilt({{"./usr/lib/x", {AE_IFREG, 0755, "payload", {}, 1000}}});
  const auto& file = root.at("usr/lib/x");
  EXPECT_EQ(file.content, "payload");
  EXPECT_EQ(file.mode, 0755U);
  EXPECT_EQ(file.owner, 0);
  EXPECT_EQ(file.time, 0);
}

TEST_F(RootTar, TakesAwaySetUserIdBits) {
  auto root = rebuilt({{"./usr/bin/su", {AE_IFREG, 04755, "x"}}});
  EXPECT_EQ(root.at("usr/bin/su").mode, 0755U);
}

TEST_F(RootTar, LeavesOutDevicesAndDocumentation) {
  auto root = rebuilt({{"./dev/null", {AE_IFCHR, 0666}},
                       {"./srv/pipe", {AE_IFIFO, 0666}},
                       {"./usr/share/doc/x/README", {AE_IFREG, 0644, "text"}}});
  EXPECT_FALSE(root.contains("dev/null"));
  EXPECT_FALSE(root.contains("srv/pipe"));
  EXPECT_FALSE(root.contains("usr/share/doc/x/README"));
}

TEST_F(RootTar, KeepsLicences) {
  auto root = rebuilt({{"./usr/share/doc/x/copyright", {AE_IFREG, 0644, "text"}}});
  EXPECT_EQ(root.at("usr/share/doc/x/copyright").content, "text");
}

TEST_F(RootTar, KeepsHardLinksUnlessTheirOtherNameIsLeftOut) {
  auto root = rebuilt({{"./usr/bin/perl", {AE_IFREG, 0755, "perl"}},
                       {"./usr/share/doc/a", {AE_IFREG, 0644, "a"}},
                       {"./usr/bin/perl5", {AE_IFREG, 0755, {}, "./usr/bin/perl"}},
                       {"./usr/share/a", {AE_IFREG, 0644, {}, "./usr/share/doc/a"}}});
  EXPECT_EQ(root.at("usr/bin/perl5").hardlink, "usr/bin/perl");
  EXPECT_FALSE(root.contains("usr/share/a"));
}

TEST_F(RootTar, AddsWhatProgramsAndTheEngineExpect) {
  auto root = rebuilt({{"./bin/busybox", {AE_IFREG, 0755, "busybox"}}}, {{"usr/bin/py", "py3"}});
  EXPECT_EQ(root.at("tmp").mode, 01777U);
  EXPECT_TRUE(root.contains("box"));
  EXPECT_TRUE(root.contains(".gantry"));
  EXPECT_EQ(root.at("bin/sh").content, "/bin/busybox");
  EXPECT_EQ(root.at("usr/bin/env").content, "/bin/busybox");
  EXPECT_EQ(root.at("usr/bin/py").content, "py3");
  EXPECT_EQ(root.at("etc/hostname").content, "");
  EXPECT_NE(root.at("etc/passwd").content.find("nobody:x:65534"), std::string::npos);
}

TEST_F(RootTar, NeverReplacesAPackagesFile) {
  auto root = rebuilt({{"./bin/tar", {AE_IFREG, 0755, "the real tar"}}});
  EXPECT_EQ(root.at("bin/tar").content, "the real tar");
}

TEST_F(RootTar, LinksFoldersThatTheReleaseHasMergedIntoUsr) {
  auto root = rebuilt({{"./usr/bin", {AE_IFDIR, 0755}},
                       {"./usr/bin/busybox", {AE_IFREG, 0755, "busybox"}},
                       {"./usr/lib64", {AE_IFDIR, 0755}}});
  EXPECT_EQ(root.at("bin").content, "usr/bin");
  EXPECT_EQ(root.at("lib64").content, "usr/lib64");
  EXPECT_EQ(root.at("usr/bin/sh").content, "/bin/busybox");
  EXPECT_FALSE(root.contains("bin/sh"));
}

TEST_F(RootTar, RefusesAnArchiveThatIsNotThere) {
  EXPECT_THROW(rebuild(folder_ / "missing.tar", folder_ / "out.tar", {}), Failure);
}

TEST_F(RootTar, KeepsNamesThatTheLocaleDoesNotHave) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  write_archive(folder_ / "in.tar", {{"usr/\u00fcber.go", {AE_IFREG, 0644, "x"}}});
  std::setlocale(LC_CTYPE, "C");
  rebuild(folder_ / "in.tar", folder_ / "out.tar", {});
  std::setlocale(LC_CTYPE, "C.UTF-8");
  auto items = read_archive(folder_ / "out.tar");
  std::setlocale(LC_CTYPE, "C");
  EXPECT_EQ(items.front().first, "usr/\u00fcber.go");
}

}  // namespace
}  // namespace gantry::sandbox::root_tar
