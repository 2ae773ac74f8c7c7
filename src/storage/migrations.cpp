#include "storage/migrations.hpp"

#include <fmt/format.h>

namespace gantry::storage {
namespace {

constexpr std::string_view versions_table = R"(
  CREATE TABLE IF NOT EXISTS schema_versions (
    component text NOT NULL,
    version bigint NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (component, version)
  ))";

enum class Progress { more, done };

std::int64_t version_of(Transaction& transaction, const std::string& component) {
  auto rows = transaction.query(
      "SELECT coalesce(max(version), 0) FROM schema_versions WHERE component = $1", component);
  return rows.front().integer(0);
}

/// Applies the first migration that is missing.
Progress step(Transaction& transaction, const std::string& component,
              std::span<const Migration> migrations) {
  transaction.execute(versions_table);
  auto current = version_of(transaction, component);
  auto newest = static_cast<std::int64_t>(migrations.size());
  if (current > newest) {
    throw Failure{{ErrorKind::conflict, "database_newer",
                   fmt::format("cannot use the database: its '{}' tables have version {}, this "
                               "program knows them up to {}",
                               component, current, newest),
                   "start the newer gantry that wrote it, or restore a backup made before it"}};
  }
  if (current == newest) return Progress::done;
  const auto& next = migrations[static_cast<std::size_t>(current)];
  transaction.execute(next.sql);
  transaction.execute("INSERT INTO schema_versions (component, version, name) VALUES ($1, $2, $3)",
                      component, next.version, next.name);
  return current + 1 == newest ? Progress::done : Progress::more;
}

}  // namespace

async::task<void> migrate(Database& database, std::string component,
                          std::span<const Migration> migrations) {
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    CHECK(migrations[i].version == static_cast<int>(i) + 1);
  }
  auto progress = Progress::more;
  while (progress == Progress::more) {
    progress = co_await transact(database, [&](Transaction& transaction) {
      return step(transaction, component, migrations);
    });
  }
}

}  // namespace gantry::storage
