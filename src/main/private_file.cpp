#include "main/private_file.hpp"

#include "base/error.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::main {
namespace {

/// Brings the names in a folder to the disk; some file systems know no such thing.
bool sync_folder(const std::filesystem::path& path) {
  int folder = ::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return false;
  bool synced = ::fsync(folder) == 0 || errno == EINVAL;
  ::close(folder);
  return synced;
}

}  // namespace

void write_private(const std::filesystem::path& path, std::string_view text) {
  auto fresh = path;
  fresh += ".new";
  int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool written = file >= 0 && ::fchmod(file, 0600) == 0 &&
                 ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  // Before it gets its name: after a power cut there is the old file or the new one, never half.
  written = written && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  std::error_code failed;
  if (written) std::filesystem::rename(fresh, path, failed);
  if (!written || failed || !sync_folder(path.parent_path())) {
    throw Failure{{ErrorKind::unavailable, "data_dir_not_writable",
                   fmt::format("cannot write '{}'", path.string()),
                   "check the folder's owner and its free space"}};
  }
}

}  // namespace gantry::main
