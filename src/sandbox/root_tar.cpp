#include "sandbox/root_tar.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "sandbox/busybox_applets.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <set>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <locale.h>

namespace gantry::sandbox::root_tar {
namespace {

/// Folders and files that go with everything below them.
constexpr std::array<std::string_view, 24> unneeded{"dev",
                                                    "etc/apt",
                                                    "etc/cron.daily",
                                                    "etc/dpkg",
                                                    "etc/fstab",
                                                    "etc/hostname",
                                                    "etc/hosts",
                                                    "etc/logrotate.d",
                                                    "etc/resolv.conf",
                                                    "lib/systemd",
                                                    "usr/lib/systemd",
                                                    "usr/share/bash-completion",
                                                    "usr/share/bug",
                                                    "usr/share/doc",
                                                    "usr/share/doc-base",
                                                    "usr/share/info",
                                                    "usr/share/initramfs-tools",
                                                    "usr/share/lintian",
                                                    "usr/share/locale",
                                                    "usr/share/man",
                                                    "usr/share/nodejs/@types",
                                                    "var/cache",
                                                    "var/lib",
                                                    "var/log"};

/// Where the engine and the sandbox mount something, and what programs expect to be there.
struct Folder {
  std::string_view path;
  unsigned mode;
};
constexpr std::array<Folder, 17> folders{{{"bin", 0755},
                                          {"sbin", 0755},
                                          {"usr", 0755},
                                          {"usr/bin", 0755},
                                          {"usr/sbin", 0755},
                                          {"etc", 0755},
                                          {"var", 0755},
                                          {"var/tmp", 01777},
                                          {"dev", 0755},
                                          {"proc", 0555},
                                          {"sys", 0555},
                                          {"run", 0755},
                                          {"root", 0700},
                                          {"home", 0755},
                                          {"tmp", 01777},
                                          {"box", 0755},
                                          {".gantry", 0755}}};

struct TextFile {
  std::string_view path;
  std::string_view content;
};
/// The last three are empty: the engine mounts its own over them.
constexpr std::array<TextFile, 5> text_files{
    {{"etc/passwd",
      "root:x:0:0:root:/root:/bin/sh\n"
      "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
     {"etc/group", "root:x:0:\nnogroup:x:65534:\n"},
     {"etc/hostname", ""},
     {"etc/hosts", ""},
     {"etc/resolv.conf", ""}}};

/// Folders of the root that newer releases have as links into /usr.
constexpr std::array<std::string_view, 4> merged{"bin", "sbin", "lib", "lib64"};

struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
struct FreeWriter {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

[[noreturn]] void broken(std::string_view what, archive* at) {
  const char* cause = archive_error_string(at);
  throw Failure{{ErrorKind::internal, "image_archive_failed",
                 fmt::format("cannot {} the root file system's archive: {}", what,
                             cause == nullptr ? "unknown cause" : text::one_line(cause)),
                 "look whether there is room in the temporary folder"}};
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

/// `usr/share/doc/PACKAGE/copyright`: a licence goes where its software goes.
bool is_copyright(std::string_view path) {
  return is_below(path, "usr/share/doc") && path.ends_with("/copyright");
}

std::string_view without_dot(std::string_view path) {
  while (path.starts_with("./") || path.starts_with('/')) {
    path.remove_prefix(path.starts_with('/') ? 1 : 2);
  }
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

/// While it lives, this thread takes the names of files for UTF-8, whatever the machine's locale:
/// libarchive refuses names that the locale does not have.
class Utf8Names {
 public:
  Utf8Names() : utf8_{::newlocale(LC_CTYPE_MASK, "C.UTF-8", locale_t{})} {
    if (utf8_ != locale_t{}) before_ = ::uselocale(utf8_);
  }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;
  ~Utf8Names() {
    if (utf8_ == locale_t{}) return;
    ::uselocale(before_);
    ::freelocale(utf8_);
  }

 private:
  locale_t utf8_;
  locale_t before_{};
};

/// One archive being copied into another.
class Rebuild {
 public:
  Rebuild(const std::filesystem::path& from, const std::filesystem::path& to,
          const std::vector<std::string_view>& kept)
      : kept_{kept}, reader_{archive_read_new()}, writer_{archive_write_new()} {
    archive_read_support_format_tar(reader_.get());
    constexpr std::size_t block = 64U << 10U;
    if (archive_read_open_filename(reader_.get(), from.c_str(), block) != ARCHIVE_OK) {
      broken("read", reader_.get());
    }
    archive_write_set_format_pax_restricted(writer_.get());
    if (archive_write_open_filename(writer_.get(), to.c_str()) != ARCHIVE_OK) {
      broken("write", writer_.get());
    }
  }

  void copy_packages() {
    archive_entry* entry = nullptr;
    int answer = ARCHIVE_OK;
    while ((answer = archive_read_next_header(reader_.get(), &entry)) == ARCHIVE_OK) {
      const char* name = archive_entry_pathname(entry);
      auto path = kept_path(name == nullptr ? "" : name, kept_);
      if (path && is_wanted(entry)) copy(entry, *path);
    }
    if (answer != ARCHIVE_EOF) broken("read", reader_.get());
  }

  /// Where /bin and the like are links into /usr, the links come with a package that nobody
  /// asked for.
  void link_merged_folders() {
    for (auto folder : merged) {
      if (has(folder) || !has(fmt::format("usr/{}", folder))) continue;
      add_link(std::string{folder}, fmt::format("usr/{}", folder));
    }
  }

  void add_folder(const Folder& folder) {
    if (has(folder.path)) return;
    auto entry = make(folder.path, AE_IFDIR, folder.mode);
    write(entry.get());
  }

  void add_file(const TextFile& file) {
    if (has(file.path)) return;
    auto entry = make(file.path, AE_IFREG, 0644);
    archive_entry_set_size(entry.get(), static_cast<std::int64_t>(file.content.size()));
    write(entry.get());
    auto written = archive_write_data(writer_.get(), file.content.data(), file.content.size());
    if (written != static_cast<la_ssize_t>(file.content.size())) broken("write", writer_.get());
  }

  /// Does nothing where something is already; follows merged folders.
  void add_link(std::string path, const std::string& target) {
    auto top = path.substr(0, path.find('/'));
    if (path.size() > top.size() && links_.contains(top)) path.insert(0, "usr/");
    if (has(path)) return;
    auto entry = make(path, AE_IFLNK, 0777);
    archive_entry_set_symlink(entry.get(), target.c_str());
    write(entry.get());
    links_.insert(path);
  }

  void close() {
    if (archive_write_close(writer_.get()) != ARCHIVE_OK) broken("write", writer_.get());
  }

 private:
  bool has(std::string_view path) const { return written_.contains(path); }

  /// Regular files, folders and links; a hard link whose other name was left out goes with it.
  bool is_wanted(archive_entry* entry) const {
    if (const char* other = archive_entry_hardlink(entry)) {
      auto path = kept_path(other, kept_);
      return path && has(*path);
    }
    auto type = archive_entry_filetype(entry);
    return type == AE_IFREG || type == AE_IFDIR || type == AE_IFLNK;
  }

  void copy(archive_entry* original, const std::string& path) {
    Entry entry{archive_entry_clone(original)};
    archive_entry_set_pathname(entry.get(), path.c_str());
    if (const char* other = archive_entry_hardlink(original)) {
      archive_entry_set_hardlink(entry.get(), std::string{without_dot(other)}.c_str());
    }
    constexpr unsigned sticky_and_permissions = 01777;
    archive_entry_set_perm(entry.get(), archive_entry_perm(original) & sticky_and_permissions);
    make_root_own(entry.get());
    archive_entry_xattr_clear(entry.get());
    archive_entry_acl_clear(entry.get());
    write(entry.get());
    if (archive_entry_filetype(original) == AE_IFLNK) links_.insert(path);
    if (archive_entry_size(entry.get()) > 0) copy_content();
  }

  void copy_content() {
    std::array<char, 64U << 10U> buffer{};
    while (true) {
      auto count = archive_read_data(reader_.get(), buffer.data(), buffer.size());
      if (count < 0) broken("read", reader_.get());
      if (count == 0) return;
      auto written =
          archive_write_data(writer_.get(), buffer.data(), static_cast<std::size_t>(count));
      if (written != count) broken("write", writer_.get());
    }
  }

  static Entry make(std::string_view path, unsigned type, unsigned mode) {
    Entry entry{archive_entry_new()};
    archive_entry_set_pathname(entry.get(), std::string{path}.c_str());
    archive_entry_set_filetype(entry.get(), type);
    archive_entry_set_perm(entry.get(), mode);
    archive_entry_set_size(entry.get(), 0);
    make_root_own(entry.get());
    return entry;
  }

  /// The same packages give the same archive whenever it is made.
  static void make_root_own(archive_entry* entry) {
    archive_entry_set_uid(entry, 0);
    archive_entry_set_gid(entry, 0);
    archive_entry_set_uname(entry, "root");
    archive_entry_set_gname(entry, "root");
    archive_entry_set_mtime(entry, 0, 0);
    archive_entry_unset_atime(entry);
    archive_entry_unset_ctime(entry);
    archive_entry_unset_birthtime(entry);
  }

  void write(archive_entry* entry) {
    if (archive_write_header(writer_.get(), entry) != ARCHIVE_OK) broken("write", writer_.get());
    written_.emplace(without_dot(archive_entry_pathname(entry)));  // folders get a `/` when written
  }

  const std::vector<std::string_view>& kept_;
  std::unique_ptr<archive, FreeReader> reader_;
  std::unique_ptr<archive, FreeWriter> writer_;
  std::set<std::string, std::less<>> written_;
  std::set<std::string, std::less<>> links_;
};

}  // namespace

std::optional<std::string> kept_path(std::string_view path,
                                     const std::vector<std::string_view>& kept) {
  path = without_dot(path);
  if (path.empty() || path == ".") return std::nullopt;
  auto keeps = [path](std::string_view folder) { return is_below(path, folder); };
  if (is_copyright(path) || std::ranges::any_of(kept, keeps)) return std::string{path};
  auto drops = [path](std::string_view folder) { return is_below(path, folder); };
  if (std::ranges::any_of(unneeded, drops)) return std::nullopt;
  return std::string{path};
}

void rebuild(const std::filesystem::path& from, const std::filesystem::path& to,
             const Changes& changes) {
  Utf8Names names;
  Rebuild work{from, to, changes.kept};
  work.copy_packages();
  work.link_merged_folders();
  for (const auto& folder : folders) work.add_folder(folder);
  for (const auto& file : text_files) work.add_file(file);
  for (const auto& [path, target] : changes.links) work.add_link(path, target);
  for (auto applet : busybox_applets()) work.add_link(std::string{applet}, "/bin/busybox");
  work.close();
}

}  // namespace gantry::sandbox::root_tar
