#include "main/secret_key_store.hpp"

#include "storage/migrations.hpp"

#include <array>
#include <string_view>

namespace gantry::main::secret_key_store {
namespace {

constexpr std::array migrations{storage::Migration{1, "secret key", R"(
  CREATE TABLE secret_key (
    one bigint PRIMARY KEY CHECK (one = 1),
    proof bytea NOT NULL
  ))"}};

/// Who seals, by the name of their migrations, and how to see whether they have.
struct Sealed {
  std::string_view component;
  std::string_view counted;
};
constexpr std::array sealed_tables{
    Sealed{"registries", "SELECT count(*) FROM registries"},
    Sealed{"fleet", "SELECT count(*) FROM hosts WHERE length(secrets) > 0"},
    Sealed{"recordings", "SELECT count(*) FROM recordings"},
    Sealed{"totp", "SELECT count(*) FROM totp"},
};

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "secret_key", migrations);
}

std::optional<std::string> proof(storage::Transaction& transaction) {
  auto rows = transaction.query("SELECT proof FROM secret_key WHERE one = 1");
  if (rows.empty()) return std::nullopt;
  return rows.front().blob(0);
}

void set_proof(storage::Transaction& transaction, const std::string& sealed) {
  transaction.execute(
      "INSERT INTO secret_key (one, proof) VALUES (1, $1) "
      "ON CONFLICT (one) DO UPDATE SET proof = $1",
      storage::Blob{sealed});
}

bool has_sealed(storage::Transaction& transaction) {
  for (const auto& table : sealed_tables) {
    auto known = transaction.query("SELECT count(*) FROM schema_versions WHERE component = $1",
                                   std::string{table.component});
    if (known.front().integer(0) == 0) continue;
    if (transaction.query(table.counted).front().integer(0) > 0) return true;
  }
  return false;
}

}  // namespace gantry::main::secret_key_store
