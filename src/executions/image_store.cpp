#include "executions/image_store.hpp"

#include "storage/migrations.hpp"

#include <array>

namespace gantry::executions::image_store {
namespace {

constexpr std::array migrations{storage::Migration{1, "pulled images", R"(
  CREATE TABLE pulled_images (
    reference text PRIMARY KEY,
    pulled_at bigint NOT NULL,
    used_at bigint NOT NULL
  ))"}};

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "pulled_images", migrations);
}

std::vector<KeptImage> load(storage::Transaction& transaction) {
  std::vector<KeptImage> images;
  for (const auto& row :
       transaction.query("SELECT reference, pulled_at, used_at FROM pulled_images")) {
    images.push_back({row.text(0), row.time(1), row.time(2)});
  }
  return images;
}

void put(storage::Transaction& transaction, const KeptImage& image) {
  transaction.execute(
      "INSERT INTO pulled_images (reference, pulled_at, used_at) VALUES ($1, $2, $3) "
      "ON CONFLICT (reference) DO UPDATE SET pulled_at = excluded.pulled_at, "
      "used_at = excluded.used_at",
      image.reference, image.pulled_at, image.used_at);
}

void remove(storage::Transaction& transaction, const std::string& reference) {
  transaction.execute("DELETE FROM pulled_images WHERE reference = $1", reference);
}

}  // namespace gantry::executions::image_store
