#include "executions/files.hpp"

#include "base/log.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::executions {
namespace fs = std::filesystem;
namespace {

/// A descriptor that is closed.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_{number} {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

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
  if (folder.number() < 0 || ::fsync(folder.number()) != 0) give_up(path);
}

void write_file(const fs::path& path, std::string_view bytes) {
  Descriptor file{
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (file.number() < 0) give_up(path);
  while (!bytes.empty()) {
    auto written = ::write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) give_up(path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.number()) != 0) give_up(path);
}

std::string read_file(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream bytes;
  if (file) bytes << file.rdbuf();
  return std::move(bytes).str();
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

async::task<std::string> Files::read(ExecutionId id, std::string name) {
  co_return co_await workers_.run([&] {
    auto path = folder_ / id.text() / name;
    auto bytes = read_file(path);
    if (bytes.empty()) log::warn("'{}' is not there any more", path.string());
    return bytes;
  });
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
