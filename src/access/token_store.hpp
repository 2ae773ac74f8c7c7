#pragma once

#include "access/identity.hpp"
#include "async/task.hpp"
#include "storage/database.hpp"

#include <string>
#include <vector>

namespace gantry::access {

struct TokenRow {
  Token token;
  std::string digest;  ///< of the token's whole text
};

/// The table of API tokens. Functions run inside a transaction.
namespace token_store {

/// Makes or updates the table.
async::task<void> migrate(storage::Database& database);
std::vector<TokenRow> load(storage::Transaction& transaction);
/// What became of an addition.
enum class Added { yes, no_such_user };
Added add(storage::Transaction& transaction, const TokenRow& row);
void remove(storage::Transaction& transaction, const TokenId& id);
void set_last_used(storage::Transaction& transaction, const TokenId& id, WallTime at);

}  // namespace token_store
}  // namespace gantry::access
