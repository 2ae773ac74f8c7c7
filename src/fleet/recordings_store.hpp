#pragma once

#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/id.hpp"
#include "engine/exec.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gantry::fleet {

using RecordingId = Id<struct RecordingTag>;

/// What is known of a recording, without what it shows.
struct Recording {
  RecordingId id;
  std::string terminal;  ///< The terminal's id.
  std::string host_id;   ///< Decides who may read it; empty: not known any more.
  std::string host;      ///< Names, as they were then,
  std::string container;
  std::string container_id;
  std::string project;  ///< its Compose project; empty: none.
  std::string user_id;
  std::string user;
  std::string shell;
  engine::TerminalSize size;
  WallTime started_at;
  std::optional<WallTime> ended_at;
  Bytes bytes{};  ///< Of its text.
  /// `running`, the reason why the terminal ended, or `interrupted` when the server was.
  std::string state;
};

/// The table of recordings. Functions run inside a transaction.
namespace recordings_store {

/// Makes or updates the table.
async::task<void> migrate(storage::Database& database);
void add(storage::Transaction& transaction, const Recording& recording);
void finish(storage::Transaction& transaction, const RecordingId& id, WallTime ended_at,
            Bytes bytes, const std::string& state);
/// Those that still run were interrupted.
void interrupt(storage::Transaction& transaction);
std::optional<Recording> find(storage::Transaction& transaction, const RecordingId& id);
/// Up to `limit`, newest first, older than `before` (empty: from the newest on); of one host,
/// unless that is empty.
std::vector<Recording> list(storage::Transaction& transaction, int limit, const std::string& before,
                            const std::string& host);
void remove(storage::Transaction& transaction, const RecordingId& id);
/// Ended ones that began before `oldest`, and the oldest of what is above `bytes_max` together.
std::vector<RecordingId> superfluous(storage::Transaction& transaction, WallTime oldest,
                                     Bytes bytes_max);
std::vector<RecordingId> ids(storage::Transaction& transaction);

}  // namespace recordings_store
}  // namespace gantry::fleet
