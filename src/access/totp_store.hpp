#pragma once

#include "access/identity.hpp"
#include "async/task.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace gantry::access {

/// Somebody's second factor.
struct SecondFactor {
  std::string sealed;                      ///< The secret, sealed as `totp` and the user's id.
  std::int64_t last_step = 0;              ///< Of the code that was used last.
  std::set<std::string> recovery_digests;  ///< Of the codes that are left.
};

/// The tables of second factors. Functions run inside a transaction.
namespace totp_store {

/// Makes or updates the tables; after that of users.
async::task<void> migrate(storage::Database& database);
std::map<UserId, SecondFactor> load(storage::Transaction& transaction);
/// In the place of an earlier one.
void put(storage::Transaction& transaction, const UserId& user, const SecondFactor& factor);
void remove(storage::Transaction& transaction, const UserId& user);
void set_last_step(storage::Transaction& transaction, const UserId& user, std::int64_t step);
void remove_recovery(storage::Transaction& transaction, const UserId& user,
                     const std::string& digest);

}  // namespace totp_store
}  // namespace gantry::access
