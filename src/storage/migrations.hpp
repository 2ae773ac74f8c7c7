#pragma once

#include "async/task.hpp"
#include "storage/database.hpp"

#include <span>
#include <string>
#include <string_view>

namespace gantry::storage {

/// One step of a schema. Never edited once released: add the next one.
struct Migration {
  int version;  ///< 1, 2, 3 … without gaps
  std::string_view name;
  std::string_view sql;  ///< one or several statements
};

/// Brings the tables of `component` (the folder that owns them) up to date, each step in its own
/// transaction together with its number, so that a crash leaves whole steps. Throws Failure
/// `database_newer` (conflict) when a newer program has been here.
async::task<void> migrate(Database& database, std::string component,
                          std::span<const Migration> migrations);

}  // namespace gantry::storage
