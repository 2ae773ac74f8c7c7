#include "fleet/recordings_store.hpp"

#include "storage/migrations.hpp"

#include <array>

namespace gantry::fleet::recordings_store {
namespace {

constexpr std::array migrations{
    storage::Migration{1, "recordings", R"(
  CREATE TABLE recordings (
    id text PRIMARY KEY,
    terminal text NOT NULL,
    host text NOT NULL,
    container text NOT NULL,
    container_id text NOT NULL,
    project text NOT NULL,
    user_id text NOT NULL,
    user_name text NOT NULL,
    shell text NOT NULL,
    terminal_columns bigint NOT NULL,
    terminal_rows bigint NOT NULL,
    started_at bigint NOT NULL,
    ended_at bigint,
    bytes bigint NOT NULL,
    state text NOT NULL
  );
  CREATE INDEX recordings_host ON recordings (host, id))"},
    // Those of before are for who may see every host: which one a name meant then is not known.
    storage::Migration{2, "hosts of recordings", R"(
  ALTER TABLE recordings ADD COLUMN host_id text NOT NULL DEFAULT '')"}};

constexpr const char* select =
    "SELECT id, terminal, host, container, container_id, project, user_id, user_name, shell, "
    "terminal_columns, terminal_rows, started_at, ended_at, bytes, state, host_id FROM recordings ";

Recording recording_of(const storage::Row& row) {
  return {.id = row.id<RecordingId>(0),
          .terminal = row.text(1),
          .host_id = row.text(15),
          .host = row.text(2),
          .container = row.text(3),
          .container_id = row.text(4),
          .project = row.text(5),
          .user_id = row.text(6),
          .user = row.text(7),
          .shell = row.text(8),
          .size = {.columns = static_cast<std::uint16_t>(row.integer(9)),
                   .rows = static_cast<std::uint16_t>(row.integer(10))},
          .started_at = row.time(11),
          .ended_at = row.time_or_null(12),
          .bytes = {static_cast<std::uint64_t>(row.integer(13))},
          .state = row.text(14)};
}

std::vector<Recording> recordings_of(const storage::Rows& rows) {
  std::vector<Recording> recordings;
  for (const auto& row : rows) recordings.push_back(recording_of(row));
  return recordings;
}

std::string statement(const char* condition) { return std::string{select} + condition; }

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "recordings", migrations);
}

void add(storage::Transaction& transaction, const Recording& recording) {
  transaction.execute(
      "INSERT INTO recordings (id, terminal, host, container, container_id, project, user_id, "
      "user_name, shell, terminal_columns, terminal_rows, started_at, bytes, state, host_id) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 'running', $13)",
      recording.id, recording.terminal, recording.host, recording.container, recording.container_id,
      recording.project, recording.user_id, recording.user, recording.shell, recording.size.columns,
      recording.size.rows, recording.started_at, recording.host_id);
}

void finish(storage::Transaction& transaction, const RecordingId& id, WallTime ended_at,
            Bytes bytes, const std::string& state) {
  transaction.execute("UPDATE recordings SET ended_at = $2, bytes = $3, state = $4 WHERE id = $1",
                      id, ended_at, bytes.count, state);
}

void interrupt(storage::Transaction& transaction) {
  transaction.execute("UPDATE recordings SET state = 'interrupted' WHERE state = 'running'");
}

std::optional<Recording> find(storage::Transaction& transaction, const RecordingId& id) {
  auto rows = transaction.query(statement("WHERE id = $1"), id);
  if (rows.empty()) return std::nullopt;
  return recording_of(rows.front());
}

std::vector<Recording> list(storage::Transaction& transaction, int limit, const std::string& before,
                            const std::string& host) {
  return recordings_of(transaction.query(
      statement("WHERE ($2 = '' OR id < $2) AND ($3 = '' OR host = $3) ORDER BY id DESC LIMIT $1"),
      limit, before, host));
}

void remove(storage::Transaction& transaction, const RecordingId& id) {
  transaction.execute("DELETE FROM recordings WHERE id = $1", id);
}

std::vector<RecordingId> superfluous(storage::Transaction& transaction, WallTime oldest,
                                     Bytes bytes_max) {
  std::vector<RecordingId> found;
  std::uint64_t together = 0;
  for (const auto& row :
       transaction.query("SELECT id, started_at, bytes FROM recordings WHERE state <> 'running' "
                         "ORDER BY id DESC LIMIT 100000")) {
    together += static_cast<std::uint64_t>(row.integer(2));
    if (row.time(1) < oldest || together > bytes_max.count) found.push_back(row.id<RecordingId>(0));
  }
  return found;
}

std::vector<RecordingId> ids(storage::Transaction& transaction) {
  std::vector<RecordingId> found;
  for (const auto& row : transaction.query("SELECT id FROM recordings LIMIT 1000000")) {
    found.push_back(row.id<RecordingId>(0));
  }
  return found;
}

}  // namespace gantry::fleet::recordings_store
