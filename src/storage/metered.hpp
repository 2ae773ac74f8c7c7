#pragma once

#include "base/histogram.hpp"
#include "storage/database.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace gantry::storage {

/// What a database has been asked for since the start.
struct DatabaseStats {
  std::string kind;  ///< `sqlite`, `postgresql`
  std::uint64_t done = 0;
  std::uint64_t refused = 0;  ///< Refusals of the work itself included.
  std::size_t waiting = 0;    ///< Now, the one that runs included.
  Histogram took;             ///< From asking to the answer.
};

/// A database with its statistics.
class MeteredDatabase final : public Database {
 public:
  explicit MeteredDatabase(std::unique_ptr<Database> database);

  async::task<void> run(TransactionBody body) override;
  std::string describe() const override { return database_->describe(); }
  const DatabaseStats& stats() const { return stats_; }

 private:
  std::unique_ptr<Database> database_;
  DatabaseStats stats_;
};

}  // namespace gantry::storage
