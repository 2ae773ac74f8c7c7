#pragma once

#include "access/identity.hpp"
#include "access/rights.hpp"
#include "async/task.hpp"
#include "storage/database.hpp"

#include <map>
#include <vector>

/// The tables of users' and tokens' grants, with ids of hosts. Functions run inside a transaction.
namespace gantry::access::grant_store {

/// Makes or updates the tables; after those of users and tokens.
async::task<void> migrate(storage::Database& database);
/// In the order they were given.
std::map<UserId, std::vector<Grant>> load(storage::Transaction& transaction);
/// What became of a replacement.
enum class Replaced { yes, no_such_user };
Replaced replace(storage::Transaction& transaction, const UserId& user,
                 const std::vector<Grant>& grants);

/// Of the tokens that have some, in the order they were given.
std::map<TokenId, std::vector<Grant>> load_of_tokens(storage::Transaction& transaction);
/// Those of a new token.
void add(storage::Transaction& transaction, const TokenId& token, const std::vector<Grant>& grants);

}  // namespace gantry::access::grant_store
