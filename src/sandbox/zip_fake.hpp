#pragma once

#include "base/error.hpp"

#include <memory>
#include <string>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

/// ZIP archives as strangers make them, for tests.
namespace gantry::sandbox::zip {

struct ZipMember {
  std::string path;
  std::string content;  ///< Of a link: where it points to.
  enum class Kind { file, link } kind = Kind::file;
};
enum class Packing { deflated, stored };

inline void write_member(archive& writer, const ZipMember& member) {
  auto free = [](archive_entry* entry) { archive_entry_free(entry); };
  std::unique_ptr<archive_entry, decltype(free)> entry{archive_entry_new(), free};
  archive_entry_set_pathname(entry.get(), member.path.c_str());
  bool link = member.kind == ZipMember::Kind::link;
  bool folder = member.path.ends_with('/');
  archive_entry_set_filetype(entry.get(), link ? AE_IFLNK : folder ? AE_IFDIR : AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  if (link) {
    archive_entry_set_symlink(entry.get(), member.content.c_str());
  } else {
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(member.content.size()));
  }
  CHECK(archive_write_header(&writer, entry.get()) == ARCHIVE_OK);
  if (link || member.content.empty()) return;
  CHECK(archive_write_data(&writer, member.content.data(), member.content.size()) ==
        static_cast<la_ssize_t>(member.content.size()));
}

inline std::string zip_of(const std::vector<ZipMember>& members,
                          Packing packing = Packing::deflated) {
  std::size_t size = 4'096;
  for (const auto& member : members) size += member.content.size() + 1'024;
  std::string out(size, '\0');
  std::size_t used = 0;
  auto* writer = archive_write_new();
  archive_write_set_format_zip(writer);
  if (packing == Packing::stored) archive_write_zip_set_compression_store(writer);
  archive_write_open_memory(writer, out.data(), out.size(), &used);
  for (const auto& member : members) write_member(*writer, member);
  CHECK(archive_write_close(writer) == ARCHIVE_OK);
  archive_write_free(writer);
  out.resize(used);
  return out;
}

}  // namespace gantry::sandbox::zip
