#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "storage/database.hpp"

#include <optional>
#include <string>

/// What the database knows of the key that seals its secrets. Functions run inside a transaction.
namespace gantry::main::secret_key_store {

/// Makes or updates the table.
async::task<void> migrate(storage::Database& database);
/// A text that only the right key opens; nothing before the first key.
std::optional<std::string> proof(storage::Transaction& transaction);
void set_proof(storage::Transaction& transaction, const std::string& sealed);
/// Whether something sealed lies in the tables, or in the files they know of.
bool has_sealed(storage::Transaction& transaction);

}  // namespace gantry::main::secret_key_store
