#pragma once

#include "executions/image_keeper.hpp"

#include <string>
#include <vector>

/// The table of images that the sandbox pulled.
namespace gantry::executions::image_store {

/// Makes the table.
async::task<void> migrate(storage::Database& database);
std::vector<KeptImage> load(storage::Transaction& transaction);
void put(storage::Transaction& transaction, const KeptImage& image);
void remove(storage::Transaction& transaction, const std::string& reference);

}  // namespace gantry::executions::image_store
