#pragma once

#include "access/identity.hpp"
#include "async/task.hpp"
#include "storage/database.hpp"

#include <map>
#include <string>
#include <utility>

/// Which users sign in at a provider, by issuer and subject. Functions run inside a transaction.
namespace gantry::access::link_store {

/// Issuer and subject.
using Outside = std::pair<std::string, std::string>;

/// Makes or updates the table; after that of users.
async::task<void> migrate(storage::Database& database);
std::map<Outside, UserId> load(storage::Transaction& transaction);
/// What became of an addition.
enum class Added { yes, taken };
Added add(storage::Transaction& transaction, const Outside& outside, const UserId& user);

}  // namespace gantry::access::link_store
