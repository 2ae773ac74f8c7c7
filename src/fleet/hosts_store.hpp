#pragma once

#include "async/task.hpp"
#include "fleet/host_config.hpp"
#include "storage/database.hpp"

#include <string>
#include <vector>

/// The table of hosts. What is secret in it is sealed. Functions run inside a transaction.
namespace gantry::fleet::hosts_store {

/// A host as it lies in the table: the endpoint and the lists are texts, which `read` understands.
struct Row {
  HostId id;
  std::string name;
  std::string endpoint;
  std::string labels;  ///< A JSON object of texts.
  std::string groups;  ///< A JSON array of texts.
  std::string note;
  HostConfig::Usual usual = HostConfig::Usual::no;
  Standing standing = Standing::enabled;
  ClearText clear_text = ClearText::refused;
  Origin origin = Origin::added;
  std::string sealed;  ///< Empty: nothing secret belongs to it.
  WallTime created_at;
  WallTime updated_at;
};

/// Makes or updates the tables.
async::task<void> migrate(storage::Database& database);
std::vector<Row> load(storage::Transaction& transaction);
/// What became of an addition or a change.
enum class Put { done, name_taken };
Put add(storage::Transaction& transaction, const Row& row);
/// Everything but `id`, `origin` and `created_at`.
Put change(storage::Transaction& transaction, const Row& row);
void remove(storage::Transaction& transaction, const HostId& id);
/// Makes every host but this one an unusual one.
void set_usual(storage::Transaction& transaction, const HostId& id);

/// Whether the engine of `--engine` has been registered once, and that it has been now.
bool local_registered(storage::Transaction& transaction);
void set_local_registered(storage::Transaction& transaction);

}  // namespace gantry::fleet::hosts_store
