#include "main/private_file.hpp"

#include "base/error.hpp"

#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gantry::main {

void write_private(const std::filesystem::path& path, std::string_view text) {
  auto fresh = path;
  fresh += ".new";
  int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool written = file >= 0 && ::fchmod(file, 0600) == 0 &&
                 ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (file >= 0) ::close(file);
  std::error_code failed;
  if (written) std::filesystem::rename(fresh, path, failed);
  if (!written || failed) {
    throw Failure{{ErrorKind::unavailable, "data_dir_not_writable",
                   fmt::format("cannot write '{}'", path.string()),
                   "check the folder's owner and its free space"}};
  }
}

}  // namespace gantry::main
