#include "executions/upkeep_store.hpp"

#include "executions/rows.hpp"

namespace gantry::executions::store {

async::task<std::int64_t> end_unfinished(storage::Database& database, WallTime now,
                                         std::string message) {
  co_return co_await storage::transact(database, [&](storage::Transaction& transaction) {
    return transaction.execute(
        "UPDATE executions SET state = 'finished', verdict = $1, message = $2, "
        "error_code = 'server_stopped', finished_at = $3 WHERE state <> 'finished' "
        "AND id NOT IN (SELECT id FROM execution_programs)",
        sandbox::word(sandbox::Verdict::infrastructure_error), message, now);
  });
}

async::task<std::vector<Waiting>> waiting(storage::Database& database) {
  co_return co_await storage::transact(database, [](storage::Transaction& transaction) {
    std::vector<Waiting> found;
    transaction.execute(
        "DELETE FROM execution_programs WHERE id NOT IN "
        "(SELECT id FROM executions WHERE state <> 'finished')");
    auto programs =
        transaction.query("SELECT id, about, content FROM execution_programs ORDER BY id");
    for (const auto& program : programs) {
      auto rows = transaction.query(
          "SELECT " + std::string{columns} + ", source FROM executions WHERE id = $1",
          program.text(0));
      auto record = record_of(rows.front());
      record.source = rows.front().text(columns_count);
      found.push_back({std::move(record), {program.text(1), program.blob(2)}});
    }
    return found;
  });
}

async::task<std::vector<ExecutionId>> retain(storage::Database& database, Retention kept,
                                             WallTime now) {
  co_return co_await storage::transact(database, [&](storage::Transaction& transaction) {
    auto rows = transaction.query(
        "DELETE FROM executions WHERE state = 'finished' AND (finished_at < $3 OR id IN ("
        "SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id DESC) AS position, "
        "SUM(bytes) OVER (ORDER BY id DESC) AS total, "
        "CASE WHEN webhook <> '' AND told = 0 AND finished_at >= $4 THEN 1 ELSE 0 END AS untold "
        "FROM executions) AS ranked WHERE (position > $1 OR total > $2) "
        "AND (untold = 0 OR position > $5 OR total > $6))) RETURNING id, in_files",
        kept.count_max, kept.bytes_max.count, now - kept.age_max, now - kept.untold_max,
        2 * kept.count_max, 2 * kept.bytes_max.count);
    transaction.execute("DELETE FROM execution_keys WHERE expires_at < $1", now);
    std::vector<ExecutionId> with_files;
    for (const auto& row : rows) {
      if (row.integer(1) != 0) with_files.push_back(row.id<ExecutionId>(0));
    }
    return with_files;
  });
}

async::task<std::set<ExecutionId>> with_files(storage::Database& database) {
  co_return co_await storage::transact(database, [](storage::Transaction& transaction) {
    std::set<ExecutionId> ids;
    for (const auto& row : transaction.query("SELECT id FROM executions WHERE in_files <> 0")) {
      ids.insert(row.id<ExecutionId>(0));
    }
    return ids;
  });
}

}  // namespace gantry::executions::store
