#include "executions/execution_store.hpp"

#include "base/json.hpp"
#include "storage/migrations.hpp"

#include <array>

namespace gantry::executions::store {
namespace {

constexpr std::array migrations{
    storage::Migration{1, "executions", R"(
      CREATE TABLE executions (
        id text PRIMARY KEY,
        owner text NOT NULL,
        language text NOT NULL,
        image text NOT NULL,
        command text NOT NULL,
        source text NOT NULL,
        state text NOT NULL,
        verdict text,
        exit_code bigint,
        signal bigint,
        message text NOT NULL DEFAULT '',
        served_image text NOT NULL DEFAULT '',
        warm bigint NOT NULL DEFAULT 0,
        wall_us bigint NOT NULL DEFAULT 0,
        cpu_us bigint NOT NULL DEFAULT 0,
        memory_peak_bytes bigint NOT NULL DEFAULT 0,
        output bytea,
        errors bytea,
        bytes bigint NOT NULL DEFAULT 0,
        created_at bigint NOT NULL,
        started_at bigint,
        finished_at bigint
      );
      CREATE INDEX executions_unfinished ON executions (state) WHERE state <> 'finished';
    )"},
};

constexpr std::string_view columns =
    "id, owner, language, image, command, state, verdict, exit_code, signal, message, "
    "served_image, warm, wall_us, cpu_us, memory_peak_bytes, created_at, started_at, finished_at";

std::string command_text(const std::vector<std::string>& command) {
  json::Array words;
  for (const auto& word : command) words.emplace_back(word);
  return json::serialize(words);
}

std::vector<std::string> command_from(const std::string& text) {
  std::vector<std::string> command;
  auto value = json::parse(text, json::Keys::tolerant);
  if (!value || !value->is_array()) return command;
  for (const auto& word : value->get_array()) {
    if (word.is_string()) command.emplace_back(word.get_string());
  }
  return command;
}

std::optional<int> narrow(std::optional<std::int64_t> number) {
  if (!number) return std::nullopt;
  return static_cast<int>(*number);
}

Record record_of(const storage::Row& row) {
  Record record;
  record.id = row.id<ExecutionId>(0);
  record.owner = row.text(1);
  record.language = row.text(2);
  record.image = row.text(3);
  record.command = command_from(row.text(4));
  record.state = state_from(row.text(5)).value_or(State::finished);
  if (auto verdict = sandbox::verdict_from(row.text_or_null(6).value_or(""))) {
    record.outcome = sandbox::Outcome{{
        .verdict = *verdict,
        .exit_code = narrow(row.integer_or_null(7)),
        .signal = narrow(row.integer_or_null(8)),
        .message = row.text(9),
        .wall_time = Microseconds{row.integer(12)},
        .cpu_time = Microseconds{row.integer(13)},
        .memory_peak_bytes = static_cast<std::uint64_t>(row.integer(14)),
    }};
    record.outcome->served_image = row.text(10);
    record.outcome->warm = row.integer(11) != 0;
  }
  record.created_at = row.time(15);
  record.started_at = row.time_or_null(16);
  record.finished_at = row.time_or_null(17);
  return record;
}

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "executions", migrations);
}

async::task<void> insert(storage::Database& database, Record record) {
  co_await database.run([record = std::move(record)](storage::Transaction& transaction) {
    transaction.execute(
        "INSERT INTO executions (id, owner, language, image, command, source, state, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        record.id, record.owner, record.language, record.image, command_text(record.command),
        record.source, word(record.state), record.created_at);
  });
}

async::task<void> finish(storage::Database& database, Record record) {
  co_await database.run([record = std::move(record)](storage::Transaction& transaction) {
    const auto& outcome = record.outcome.value();
    // The condition keeps the first verdict, whatever happens: there is exactly one.
    transaction.execute(
        "UPDATE executions SET state = 'finished', verdict = $2, exit_code = $3, signal = $4, "
        "message = $5, served_image = $6, warm = $7, wall_us = $8, cpu_us = $9, "
        "memory_peak_bytes = $10, output = $11, errors = $12, bytes = $13, started_at = $14, "
        "finished_at = $15 WHERE id = $1 AND state <> 'finished'",
        record.id, sandbox::word(outcome.verdict), outcome.exit_code, outcome.signal,
        outcome.message, outcome.served_image, outcome.warm ? 1 : 0, outcome.wall_time.count(),
        outcome.cpu_time.count(), outcome.memory_peak_bytes, storage::Blob{record.output},
        storage::Blob{record.errors},
        record.source.size() + record.output.size() + record.errors.size(), record.started_at,
        record.finished_at);
  });
}

async::task<std::int64_t> end_unfinished(storage::Database& database, WallTime now,
                                         std::string message) {
  co_return co_await storage::transact(
      database, [now, message = std::move(message)](storage::Transaction& transaction) {
        return transaction.execute(
            "UPDATE executions SET state = 'finished', verdict = $1, message = $2, "
            "finished_at = $3 WHERE state <> 'finished'",
            sandbox::word(sandbox::Verdict::infrastructure_error), message, now);
      });
}

async::task<std::optional<Record>> find(storage::Database& database, ExecutionId id) {
  co_return co_await storage::transact(
      database, [id = std::move(id)](storage::Transaction& transaction) {
        std::optional<Record> found;
        auto rows = transaction.query("SELECT " + std::string{columns} +
                                          ", source, output, errors "
                                          "FROM executions WHERE id = $1",
                                      id);
        if (rows.empty()) return found;
        found = record_of(rows.front());
        found->source = rows.front().text(18);
        found->output = rows.front().blob_or_null(19).value_or("");
        found->errors = rows.front().blob_or_null(20).value_or("");
        return found;
      });
}

async::task<Page> list(storage::Database& database, int limit, std::string cursor) {
  co_return co_await storage::transact(
      database, [limit, cursor = std::move(cursor)](storage::Transaction& transaction) {
        Page page;
        // Ids sort by creation. One row more than asked for tells whether there is a next page.
        auto rows = transaction.query("SELECT " + std::string{columns} +
                                          " FROM executions WHERE $1 = '' OR id < $1 "
                                          "ORDER BY id DESC LIMIT $2",
                                      cursor, limit + 1);
        for (const auto& row : rows) {
          if (page.items.size() == static_cast<std::size_t>(limit)) {
            page.next = page.items.back().id.text();
            break;
          }
          page.items.push_back(record_of(row));
        }
        return page;
      });
}

async::task<void> retain(storage::Database& database, std::int64_t count_max, Bytes bytes_max) {
  co_await database.run([=](storage::Transaction& transaction) {
    transaction.execute(
        "DELETE FROM executions WHERE state = 'finished' AND id IN ("
        "SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id DESC) AS position, "
        "SUM(bytes) OVER (ORDER BY id DESC) AS total FROM executions) AS ranked "
        "WHERE position > $1 OR total > $2)",
        count_max, bytes_max.count);
  });
}

}  // namespace gantry::executions::store
