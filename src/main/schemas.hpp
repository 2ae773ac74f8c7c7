#pragma once

#include "async/task.hpp"
#include "storage/database.hpp"

namespace gantry::main {

/// Brings all tables of this program up to date, each behind those that it refers to.
async::task<void> migrate_all(storage::Database& database);

}  // namespace gantry::main
