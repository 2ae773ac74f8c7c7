#pragma once

#include "executions/registries.hpp"

#include <string>
#include <vector>

/// The table of registries. The password in it is sealed.
namespace gantry::executions::registry_store {

struct Row {
  Registry registry;
  std::string sealed;
};

/// Makes the table.
async::task<void> migrate(storage::Database& database);
std::vector<Row> load(storage::Transaction& transaction);
void put(storage::Transaction& transaction, const Row& row);
void remove(storage::Transaction& transaction, const RegistryId& id);

}  // namespace gantry::executions::registry_store
