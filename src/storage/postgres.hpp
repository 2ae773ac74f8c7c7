#pragma once

#include "async/workers.hpp"
#include "storage/data_directory.hpp"
#include "storage/database.hpp"
#include "storage/postgres_session.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace gantry::storage {

/// A PostgreSQL database, used by one server at a time, with one thread that owns every statement.
class Postgres final : public Database {
 public:
  /// Connects; see storage::open.
  static async::task<std::unique_ptr<Database>> open(PostgresAddress address,
                                                     std::filesystem::path data_directory);
  /// Not open yet: `open` makes them.
  explicit Postgres(PostgresAddress address);
  ~Postgres() override;

  async::task<void> run(TransactionBody body) override;
  std::string describe() const override;

 private:
  PostgresAddress address_;
  std::optional<DataDirectory> directory_;
  std::optional<PostgresSession> session_;
  // Last, so that what is queued ends before the connection goes.
  async::Workers thread_;
};

}  // namespace gantry::storage
