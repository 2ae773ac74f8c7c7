#include "access/totp_store.hpp"

#include "storage/migrations.hpp"

#include <array>

namespace gantry::access::totp_store {
namespace {

constexpr std::array migrations{storage::Migration{1, "second factors", R"(
  CREATE TABLE totp (
    user_id text PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed bytea NOT NULL,
    last_step bigint NOT NULL
  );
  CREATE TABLE totp_recovery (
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest text NOT NULL,
    PRIMARY KEY (user_id, digest)
  ))"}};

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "totp", migrations);
}

std::map<UserId, SecondFactor> load(storage::Transaction& transaction) {
  std::map<UserId, SecondFactor> factors;
  for (const auto& row : transaction.query("SELECT user_id, sealed, last_step FROM totp")) {
    factors[row.id<UserId>(0)] = {
        .sealed = row.blob(1), .last_step = row.integer(2), .recovery_digests = {}};
  }
  for (const auto& row : transaction.query("SELECT user_id, digest FROM totp_recovery")) {
    auto found = factors.find(row.id<UserId>(0));
    if (found != factors.end()) found->second.recovery_digests.insert(row.text(1));
  }
  return factors;
}

void put(storage::Transaction& transaction, const UserId& user, const SecondFactor& factor) {
  remove(transaction, user);
  transaction.execute("INSERT INTO totp (user_id, sealed, last_step) VALUES ($1, $2, $3)", user,
                      storage::Blob{factor.sealed}, factor.last_step);
  for (const auto& digest : factor.recovery_digests) {
    transaction.execute("INSERT INTO totp_recovery (user_id, digest) VALUES ($1, $2)", user,
                        digest);
  }
}

void remove(storage::Transaction& transaction, const UserId& user) {
  transaction.execute("DELETE FROM totp WHERE user_id = $1", user);
  transaction.execute("DELETE FROM totp_recovery WHERE user_id = $1", user);
}

void set_last_step(storage::Transaction& transaction, const UserId& user, std::int64_t step) {
  transaction.execute("UPDATE totp SET last_step = $2 WHERE user_id = $1", user, step);
}

void remove_recovery(storage::Transaction& transaction, const UserId& user,
                     const std::string& digest) {
  transaction.execute("DELETE FROM totp_recovery WHERE user_id = $1 AND digest = $2", user, digest);
}

}  // namespace gantry::access::totp_store
