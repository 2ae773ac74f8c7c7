#pragma once

#include "access/identity.hpp"
#include "async/task.hpp"
#include "storage/database.hpp"

#include <string>
#include <vector>

namespace gantry::access {

struct UserRow {
  User user;
  std::string password_hash;  ///< argon2id
};

/// The table of users. Functions run inside a transaction.
namespace user_store {

/// Makes or updates the table.
async::task<void> migrate(storage::Database& database);
std::vector<UserRow> load(storage::Transaction& transaction);
std::int64_t count(storage::Transaction& transaction);
/// What became of an addition.
enum class Added { yes, name_taken };
Added add(storage::Transaction& transaction, const UserRow& row);
/// With the user's sessions and tokens.
void remove(storage::Transaction& transaction, const UserId& id);
void set_role(storage::Transaction& transaction, const UserId& id, Role role);
void set_password(storage::Transaction& transaction, const UserId& id, const std::string& hash);
void set_standing(storage::Transaction& transaction, const UserId& id, Standing standing);
/// Whether this user is an admin who may come in.
bool is_admin(storage::Transaction& transaction, const UserId& id);
/// How many admins may come in beside this user.
std::int64_t other_admins(storage::Transaction& transaction, const UserId& id);

}  // namespace user_store
}  // namespace gantry::access
