#pragma once

#include <filesystem>

namespace gantry::storage {

/// The folder of one server: made when absent (0700), and this process's alone while this lives.
/// The kernel drops the lock when the process ends, however it ends.
class DataDirectory {
 public:
  /// Throws Failure: `already_running` when another process holds it (and which one),
  /// `data_directory_unusable` when it can not be made or written.
  explicit DataDirectory(const std::filesystem::path& path);
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

 private:
  int lock_ = -1;
};

/// Makes the file, empty and for the owner only (0600), when absent, durably: its directory is
/// synchronised too. Throws Failure `data_directory_unusable`.
void make_private_file(const std::filesystem::path& path);

}  // namespace gantry::storage
