#include "executions/files.hpp"

#include "base/log.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::executions {
namespace fs = std::filesystem;
namespace {

using async::Descriptor;

[[noreturn]] void give_up(const fs::path& path) {
  auto cause = errno;
  bool full = cause == ENOSPC || cause == EDQUOT;
  throw Failure{{full ? ErrorKind::exhausted : ErrorKind::unavailable,
                 full ? "disk_full" : "data_dir_not_writable",
                 fmt::format("cannot write '{}': {}", path.string(), std::strerror(cause)),
                 full ? "free some space" : "check the folder's owner"}};
}

void make_folder(const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) give_up(path);
}

void synchronise(const fs::path& path) {
  Descriptor folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder || ::fsync(folder.get()) != 0) give_up(path);
}

void write_file(const fs::path& path, std::string_view bytes) {
  Descriptor file{
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file) give_up(path);
  while (!bytes.empty()) {
    auto written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) give_up(path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.get()) != 0) give_up(path);
}

/// Up to `max` bytes from where the file stands; empty at its end.
std::string read_piece(const Descriptor& file, std::size_t max) {
  std::string bytes(max, '\0');
  for (;;) {
    auto count = ::read(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      throw Failure{{ErrorKind::unavailable, "output_unreadable",
                     fmt::format("cannot read what a program wrote: {}", std::strerror(errno)),
                     "check the disk of the data directory"}};
    }
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
  }
}

Error lost(const ExecutionId& id) {
  return {ErrorKind::not_found, "output_lost",
          fmt::format("cannot read what execution '{}' wrote: its file is not there any more, or "
                      "not whole",
                      id.text()),
          "it was removed, or the data directory is an incomplete copy"};
}

}  // namespace

async::task<void> Files::write(ExecutionId id, Items items) {
  co_await workers_.run([&] {
    auto folder = folder_ / id.text();
    make_folder(folder_);
    make_folder(folder);
    for (const auto& [name, bytes] : items) write_file(folder / name, bytes);
    synchronise(folder);
    synchronise(folder_);
  });
}

async::task<Result<FileReader>> Files::open(ExecutionId id, std::string name,
                                            std::optional<std::uint64_t> size) {
  co_return co_await workers_.run([&]() -> Result<FileReader> {
    auto path = folder_ / id.text() / name;
    Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    struct stat status{};
    bool there = file && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode);
    auto present = there ? static_cast<std::uint64_t>(status.st_size) : 0;
    if (there && present == size.value_or(present)) {
      return FileReader{workers_, std::move(file), present};
    }
    log::warn("'{}' is not there any more, or not whole", path.string());
    return fail(lost(id));
  });
}

async::task<Result<std::string>> Files::read(ExecutionId id, std::string name) {
  auto file = co_await open(std::move(id), std::move(name));
  if (!file) co_return fail(std::move(file.error()));
  std::string bytes;
  for (auto piece = co_await file->next(); !piece.empty(); piece = co_await file->next()) {
    bytes += piece;
  }
  co_return bytes;
}

async::task<std::string> FileReader::next() {
  co_return co_await workers_->run([&] { return read_piece(file_, piece_max.count); });
}

async::task<void> Files::remove(std::vector<ExecutionId> ids) {
  if (ids.empty()) co_return;
  co_await workers_.run([&] {
    for (const auto& id : ids) {
      std::error_code failed;
      fs::remove_all(folder_ / id.text(), failed);
      if (failed) log::warn("cannot remove the files of execution '{}'", id.text());
    }
  });
}

async::task<void> Files::keep_only(std::set<ExecutionId> ids) {
  co_await workers_.run([&] {
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator{folder_, failed}) {
      if (ids.contains(ExecutionId{entry.path().filename().string()})) continue;
      std::error_code ignored;
      fs::remove_all(entry.path(), ignored);
    }
  });
}

}  // namespace gantry::executions
