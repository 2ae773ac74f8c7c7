#pragma once

#include "async/task.hpp"
#include "storage/database.hpp"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace gantry::storage {

/// A folder for one test, gone with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    auto pattern = (std::filesystem::temp_directory_path() / "gantry-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Thrown where a test needs a database that this machine does not have.
class NotHere : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A real database for one test, with `data_directory` for its files: SQLite; PostgreSQL where
/// GANTRY_TEST_DATABASE is `postgresql`, where each data directory has a schema of its own, which
/// is found again when it is opened again. Throws NotHere.
async::task<std::unique_ptr<Database>> open_for_test(std::filesystem::path data_directory);

}  // namespace gantry::storage
