#include "sandbox/tar.hpp"

#include "base/error.hpp"

#include <array>
#include <memory>

#include <archive.h>
#include <archive_entry.h>

namespace gantry::sandbox::tar {
namespace {

struct Free {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

}  // namespace

std::string of_files(std::span<const Entry> entries) {
  std::size_t room = 64U << 10U;
  for (const auto& entry : entries) room += entry.content.size() + 2048;
  std::string out(room, '\0');
  std::size_t used = 0;
  auto* writer = archive_write_new();
  archive_write_set_format_ustar(writer);
  archive_write_open_memory(writer, out.data(), out.size(), &used);
  for (const auto& file : entries) {
    std::unique_ptr<archive_entry, Free> entry{archive_entry_new()};
    archive_entry_set_pathname(entry.get(), file.name.c_str());
    archive_entry_set_size(entry.get(), static_cast<std::int64_t>(file.content.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), static_cast<mode_t>(file.mode));
    archive_entry_set_mtime(entry.get(), 0, 0);
    CHECK(archive_write_header(writer, entry.get()) == ARCHIVE_OK);
    CHECK(archive_write_data(writer, file.content.data(), file.content.size()) ==
          static_cast<la_ssize_t>(file.content.size()));
  }
  CHECK(archive_write_close(writer) == ARCHIVE_OK);
  archive_write_free(writer);
  out.resize(used);
  return out;
}

std::string of_executable(std::string_view name, std::string_view content) {
  return of_files(std::array{Entry{.name = std::string{name}, .content = content}});
}

std::optional<std::string> regular_file(std::string_view archive_bytes, std::string_view name,
                                        std::size_t size_max) {
  std::unique_ptr<archive, FreeReader> reader{archive_read_new()};
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_memory(reader.get(), archive_bytes.data(), archive_bytes.size()) !=
      ARCHIVE_OK) {
    return std::nullopt;
  }
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK) {
    const char* path = archive_entry_pathname(entry);
    if (path == nullptr || path != name) continue;
    auto size = archive_entry_size(entry);
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr ||
        size < 0 || static_cast<std::size_t>(size) > size_max) {
      return std::nullopt;
    }
    std::string content(static_cast<std::size_t>(size), '\0');
    if (archive_read_data(reader.get(), content.data(), content.size()) != size)
      return std::nullopt;
    return content;
  }
  return std::nullopt;
}

}  // namespace gantry::sandbox::tar
