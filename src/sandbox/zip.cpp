#include "sandbox/zip.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <locale.h>

// libarchive does the decoding; what may come out of it is judged here, on what really came and
// never on what the archive says of itself.
namespace gantry::sandbox::zip {
namespace {

struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

/// libarchive translates the names of members to the thread's character set: here UTF-8, for as
/// long as this lives.
class Utf8Thread {
 public:
  Utf8Thread() : utf8_{::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)} {
    if (utf8_ != nullptr) before_ = ::uselocale(utf8_);
  }
  ~Utf8Thread() {
    if (utf8_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(utf8_);
  }
  Utf8Thread(const Utf8Thread&) = delete;
  Utf8Thread& operator=(const Utf8Thread&) = delete;

 private:
  locale_t utf8_;
  locale_t before_ = nullptr;
};

std::unexpected<Error> refused(std::string_view cause) {
  return fail(ErrorKind::invalid, "invalid_zip",
              fmt::format("cannot unpack the archive: {}", cause));
}

class Unpacker {
 public:
  Unpacker(std::string_view archive, const Limits& limits, const Allowed& allowed)
      : limits_{limits},
        allowed_{allowed},
        bytes_max_{std::min(limits.bytes_max, archive.size() * limits.ratio_max)},
        until_{steady_now() + limits.time_max},
        reader_{archive_read_new()} {
    archive_read_support_format_zip_seekable(reader_.get());
    opened_ = archive_read_open_memory(reader_.get(), archive.data(), archive.size());
  }

  Result<std::vector<File>> all() {
    if (opened_ != ARCHIVE_OK) return damaged();
    for (;;) {
      archive_entry* entry = nullptr;
      auto read = archive_read_next_header(reader_.get(), &entry);
      if (read == ARCHIVE_EOF) return std::move(files_);
      if (read != ARCHIVE_OK) return damaged();
      if (++members_ > limits_.files_max) {
        return refused(fmt::format("it has over {} members", limits_.files_max));
      }
      if (auto added = add(entry); !added) return fail(std::move(added.error()));
    }
  }

 private:
  std::unexpected<Error> damaged() {
    const char* cause = archive_error_string(reader_.get());
    return refused(cause == nullptr ? "it is damaged" : text::one_line(cause));
  }

  /// Whether the member that was begun is packed as every tool does it. The rarer methods let an
  /// archive of 200 bytes ask for gigabytes of working memory.
  bool packed_as_usual() const {
    std::string_view format{archive_format_name(reader_.get())};
    return format.ends_with("(deflation)") || format.ends_with("(uncompressed)");
  }

  Result<> add(archive_entry* entry) {
    if (archive_entry_filetype(entry) == AE_IFDIR) return ok;
    const char* name = archive_entry_pathname(entry);
    File file{.path = name == nullptr ? "" : name};
    while (file.path.starts_with("./")) file.path.erase(0, 2);
    auto shown = text::shortened(text::one_line(file.path), 80);
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr) {
      return refused(fmt::format("'{}' is not a plain file", shown));
    }
    if (archive_entry_is_encrypted(entry) != 0) {
      return refused(fmt::format("'{}' is encrypted", shown));
    }
    if (!packed_as_usual()) {
      return refused(fmt::format("'{}' is packed by another method than deflate", shown));
    }
    if (auto path = check_file_path(file.path); !path) {
      return refused(fmt::format("the path '{}' {}", shown, path.error().message));
    }
    if (!allowed_(file.path)) return refused(fmt::format("'{}' is not allowed", shown));
    if (auto content = read(file.content, shown); !content) return content;
    keep(std::move(file));
    return ok;
  }

  Result<> read(std::string& content, std::string_view shown) {
    for (;;) {
      if (steady_now() >= until_) return refused("it takes too long");
      const void* data = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      auto got = archive_read_data_block(reader_.get(), &data, &size, &offset);
      if (got == ARCHIVE_EOF) return ok;
      if (got != ARCHIVE_OK || static_cast<std::size_t>(offset) != content.size()) return damaged();
      if (content.size() + size > limits_.file_bytes_max) {
        return refused(fmt::format("'{}' has over {} bytes", shown, limits_.file_bytes_max));
      }
      bytes_ += size;
      if (bytes_ > bytes_max_) {
        return refused(fmt::format("its files have over {} bytes together", bytes_max_));
      }
      content.append(static_cast<const char*>(data), size);
    }
  }

  void keep(File file) {
    auto [place, fresh] = places_.try_emplace(file.path, files_.size());
    if (fresh) {
      files_.push_back(std::move(file));
    } else {
      files_[place->second] = std::move(file);
    }
  }

  Utf8Thread utf8_;
  const Limits& limits_;
  const Allowed& allowed_;
  std::size_t bytes_max_;
  SteadyTime until_;
  std::unique_ptr<archive, FreeReader> reader_;
  int opened_ = ARCHIVE_OK;
  std::size_t members_ = 0;
  std::size_t bytes_ = 0;
  std::vector<File> files_;
  std::map<std::string, std::size_t, std::less<>> places_;
};

}  // namespace

Result<std::vector<File>> unpack(std::string_view archive, const Limits& limits,
                                 const Allowed& allowed) {
  // An archive of nothing is its end record alone, which libarchive takes for no archive.
  constexpr std::string_view end_record{"PK\5\6\0\0\0\0\0\0\0\0", 12};
  if (archive.size() == 22 && archive.starts_with(end_record)) return std::vector<File>{};
  return Unpacker{archive, limits, allowed}.all();
}

}  // namespace gantry::sandbox::zip
