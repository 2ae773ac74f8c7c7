#pragma once

#include "async/task.hpp"
#include "fleet/host_config.hpp"
#include "monitor/differences.hpp"
#include "storage/database.hpp"

#include <optional>
#include <string>
#include <vector>

namespace gantry::monitor {

/// What is kept of examinations, for the next one to be compared with.
struct KeptReport {
  WallTime at;      ///< Of the first from which none until now differed.
  std::string way;  ///< How the host was reached: another way may lead to another machine.
  std::vector<Outcome> outcomes;

  bool operator==(const KeptReport&) const = default;
};

/// The table of the last report of each host. Functions run inside a transaction.
namespace report_store {

/// Makes or updates the table.
async::task<void> migrate(storage::Database& database);
/// Nothing: the host has not been examined, or by a version whose words are not known.
std::optional<KeptReport> find(storage::Transaction& transaction, const fleet::HostId& host);
/// In the place of what was there of the host.
void put(storage::Transaction& transaction, const fleet::HostId& host, const KeptReport& report);
/// Forgets all hosts but these.
void keep_only(storage::Transaction& transaction, const std::vector<fleet::HostId>& hosts);

}  // namespace report_store
}  // namespace gantry::monitor
