#include "storage/data_directory.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::storage {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void refuse(const fs::path& path, int cause) {
  if (cause == ENOTDIR) {
    throw Failure{{ErrorKind::unavailable, "data_directory_unusable",
                   fmt::format("cannot use data directory '{}': it is not a folder", path.string()),
                   "choose another place with --data-dir"}};
  }
  throw Failure{{ErrorKind::unavailable, "data_directory_unusable",
                 fmt::format("cannot use data directory '{}': {}", path.string(),
                             std::generic_category().message(cause)),
                 "give the user that runs gantry the right to write there, or choose another "
                 "place with --data-dir"}};
}

void make_directory(const fs::path& path) {
  std::error_code failure;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), failure);
  if (failure) refuse(path, failure.value());
  if (::mkdir(path.c_str(), 0700) == 0) return;
  if (errno != EEXIST) refuse(path, errno);
  if (!fs::is_directory(path, failure)) refuse(path, ENOTDIR);
}

std::string holder_of(int lock) {
  std::array<char, 32> bytes{};
  auto length = ::pread(lock, bytes.data(), bytes.size(), 0);
  auto text = text::trimmed({bytes.data(), length > 0 ? static_cast<std::size_t>(length) : 0});
  return text.empty() ? "another process" : fmt::format("process {}", text::one_line(text));
}

}  // namespace

DataDirectory::DataDirectory(const fs::path& path) {
  make_directory(path);
  auto name = path / "gantry.lock";
  lock_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_ < 0) refuse(path, errno);
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    auto holder = holder_of(lock_);
    ::close(lock_);
    throw Failure{
        {ErrorKind::conflict, "already_running",
         fmt::format("cannot use data directory '{}': {} is using it", path.string(), holder),
         "stop that server first, or give this one its own with --data-dir"}};
  }
  // Who holds it is for people only: what counts is the lock. A full disk leaves it unsaid.
  auto holder = fmt::format("{}\n", ::getpid());
  if (::ftruncate(lock_, 0) == 0) {
    [[maybe_unused]] auto written = ::pwrite(lock_, holder.data(), holder.size(), 0);
  }
}

DataDirectory::~DataDirectory() { ::close(lock_); }

void make_private_file(const fs::path& path) {
  auto file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) {
    if (errno == EEXIST) return;
    refuse(path, errno);
  }
  ::close(file);
  auto parent = path.has_parent_path() ? path.parent_path() : fs::path{"."};
  auto directory = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) refuse(parent, errno);
  auto failed = ::fsync(directory) != 0 ? errno : 0;
  ::close(directory);
  if (failed != 0) refuse(parent, failed);
}

}  // namespace gantry::storage
