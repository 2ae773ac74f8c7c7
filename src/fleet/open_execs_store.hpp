#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "engine/exec_end.hpp"
#include "fleet/host_config.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace gantry::fleet {

/// An exec that has to be ended some day.
struct OpenExec {
  HostId host;
  engine::MarkedExec exec;  ///< Without its ender.
  WallTime since;
};

/// The table of execs that this server, or one before it, has not seen the end of. Functions run
/// inside a transaction.
namespace open_execs_store {

/// Makes or updates the table.
async::task<void> migrate(storage::Database& database);
/// Of the server `owner`: a copy of its database, restored elsewhere, has no business with them.
/// The newest, at most a thousand.
std::vector<OpenExec> load(storage::Transaction& transaction, const std::string& owner);
/// In the place of what was known of it.
void put(storage::Transaction& transaction, const std::string& owner, const OpenExec& open);
void remove(storage::Transaction& transaction, const std::string& exec);
/// Those from before; answers how many there were.
std::int64_t prune(storage::Transaction& transaction, WallTime before);

}  // namespace open_execs_store
}  // namespace gantry::fleet
