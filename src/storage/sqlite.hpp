#pragma once

#include "async/workers.hpp"
#include "storage/data_directory.hpp"
#include "storage/database.hpp"
#include "storage/sqlite_connection.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace gantry::storage {

/// A SQLite file with one thread that owns every statement, commit and checkpoint.
class Sqlite final : public Database {
 public:
  /// Opens the file; see storage::open.
  static async::task<std::unique_ptr<Database>> open(std::filesystem::path file,
                                                     std::filesystem::path data_directory);
  /// Not open yet: `open` makes them.
  explicit Sqlite(std::filesystem::path file);
  ~Sqlite() override;

  async::task<void> run(TransactionBody body) override;
  std::string describe() const override;

 private:
  std::filesystem::path file_;
  std::optional<DataDirectory> directory_;
  std::unique_ptr<SqliteConnection> connection_;
  // Last, so that what is queued ends before the connection goes.
  async::Workers thread_;
};

}  // namespace gantry::storage
