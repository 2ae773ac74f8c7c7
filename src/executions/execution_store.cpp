#include "executions/execution_store.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "executions/rows.hpp"
#include "storage/migrations.hpp"

#include <array>

#include <fmt/format.h>

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
    storage::Migration{2, "stages, batches, files, programs that wait, webhooks", R"(
      ALTER TABLE executions ADD COLUMN executor text NOT NULL DEFAULT '';
      ALTER TABLE executions ADD COLUMN truncated bigint NOT NULL DEFAULT 0;
      ALTER TABLE executions ADD COLUMN compile text NOT NULL DEFAULT '';
      ALTER TABLE executions ADD COLUMN compile_output bytea;
      ALTER TABLE executions ADD COLUMN compile_errors bytea;
      ALTER TABLE executions ADD COLUMN artifacts text NOT NULL DEFAULT '';
      ALTER TABLE executions ADD COLUMN in_files bigint NOT NULL DEFAULT 0;
      ALTER TABLE executions ADD COLUMN batch text NOT NULL DEFAULT '';
      ALTER TABLE executions ADD COLUMN webhook text NOT NULL DEFAULT '';
      ALTER TABLE executions ADD COLUMN told bigint NOT NULL DEFAULT 0;
      CREATE INDEX executions_batch ON executions (batch) WHERE batch <> '';
      CREATE INDEX executions_untold ON executions (id) WHERE webhook <> '' AND told = 0;
      CREATE TABLE execution_programs (
        id text PRIMARY KEY,
        about text NOT NULL,
        content bytea NOT NULL
      );
      CREATE TABLE execution_keys (
        owner text NOT NULL,
        key text NOT NULL,
        fingerprint text NOT NULL,
        target text NOT NULL,
        expires_at bigint NOT NULL,
        PRIMARY KEY (owner, key)
      );
    )"},
    storage::Migration{3, "codes of errors, owners by id", R"(
      ALTER TABLE executions ADD COLUMN error_code text NOT NULL DEFAULT '';
      ALTER TABLE executions ADD COLUMN owner_id text NOT NULL DEFAULT '';
      CREATE INDEX executions_owner ON executions (owner_id, id);
    )"},
    storage::Migration{4, "what a repeated batch was",
                       "ALTER TABLE execution_keys ADD COLUMN members text NOT NULL DEFAULT ''"},
};

std::string command_text(const std::vector<std::string>& command) {
  json::Array words;
  for (const auto& word : command) words.emplace_back(word);
  return json::serialize(words);
}

constexpr std::string_view empty_place = "-";

std::string members_text(const std::vector<ExecutionId>& members) {
  std::string text;
  for (const auto& id : members) {
    std::string_view word = id.text().empty() ? empty_place : id.text();
    text += fmt::format("{}{}", text.empty() ? "" : " ", word);
  }
  return text;
}

std::vector<ExecutionId> members_from(std::string_view text) {
  std::vector<ExecutionId> members;
  if (text.empty()) return members;
  for (auto id : text::split(text, ' ')) {
    members.emplace_back(std::string{id == empty_place ? "" : id});
  }
  return members;
}

std::optional<Repeatable> find_key(storage::Transaction& transaction, const Repeatable& asked,
                                   WallTime now) {
  // Of what has been deleted meanwhile nothing can be told: the key is free again. The version that
  // kept keys by name kept no members.
  auto rows = transaction.query(
      "SELECT fingerprint, target, expires_at, members FROM execution_keys "
      "WHERE (owner = $1 OR (owner = $4 AND members = '')) AND key = $2 AND expires_at > $3 "
      "AND EXISTS ("
      "SELECT 1 FROM executions WHERE id = target OR (batch <> '' AND batch = target))",
      asked.owner, asked.key, now, asked.owner_name);
  if (rows.empty()) return std::nullopt;
  const auto& row = rows.front();
  return Repeatable{.owner = asked.owner,
                    .owner_name = asked.owner_name,
                    .key = asked.key,
                    .fingerprint = row.text(0),
                    .target = row.text(1),
                    .members = members_from(row.text(3)),
                    .expires_at = row.time(2)};
}

void insert_program(storage::Transaction& transaction, const ExecutionId& id,
                    const Packed& program) {
  transaction.execute("INSERT INTO execution_programs (id, about, content) VALUES ($1, $2, $3)", id,
                      program.about, storage::Blob{program.content});
}

void insert_one(storage::Transaction& transaction, const Fresh& fresh) {
  const auto& record = fresh.record;
  transaction.execute(
      "INSERT INTO executions (id, owner, language, image, command, source, state, batch, "
      "webhook, created_at, owner_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
      record.id, record.owner, record.language, record.image, command_text(record.command),
      record.source, word(record.state), record.batch, record.webhook, record.created_at,
      record.owner_id);
  if (fresh.waiting) insert_program(transaction, record.id, *fresh.waiting);
}

void claim_all(storage::Transaction& transaction, const std::vector<ExecutionId>& ids) {
  for (const auto& id : ids) {
    transaction.execute("DELETE FROM execution_programs WHERE id = $1", id);
  }
}

/// What goes into the row of a stream: nothing when it is in a file.
std::optional<storage::Blob> stream_value(const std::string& bytes, unsigned in_files,
                                          unsigned bit) {
  if ((in_files & bit) != 0) return std::nullopt;
  return storage::Blob{bytes};
}

}  // namespace

std::uint64_t size_of(const Record& record) {
  std::uint64_t sum = record.source.size() + record.output.size() + record.errors.size() +
                      record.compile_output.size() + record.compile_errors.size();
  for (const auto& artifact : record.artifacts) sum += artifact.size;
  return sum;
}

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "executions", migrations);
}

async::task<std::optional<Repeatable>> repeated(storage::Database& database, Repeatable asked,
                                                WallTime now) {
  co_return co_await storage::transact(database, [&](storage::Transaction& transaction) {
    return find_key(transaction, asked, now);
  });
}

async::task<std::optional<Repeatable>> insert(storage::Database& database, std::vector<Fresh> fresh,
                                              std::optional<Repeatable> key, WallTime now) {
  co_return co_await storage::transact(database, [&](storage::Transaction& transaction) {
    if (key) {
      if (auto earlier = find_key(transaction, *key, now)) return earlier;
      transaction.execute(
          "INSERT INTO execution_keys (owner, key, fingerprint, target, expires_at, members) "
          "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (owner, key) DO UPDATE SET "
          "fingerprint = excluded.fingerprint, target = excluded.target, "
          "expires_at = excluded.expires_at, members = excluded.members",
          key->owner, key->key, key->fingerprint, key->target, key->expires_at,
          members_text(key->members));
    }
    for (const auto& one : fresh) insert_one(transaction, one);
    return std::optional<Repeatable>{};
  });
}

async::task<void> claim(storage::Database& database, std::vector<ExecutionId> ids) {
  co_await database.run([&](storage::Transaction& transaction) { claim_all(transaction, ids); });
}

async::task<void> put_back(storage::Database& database, ExecutionId id, Packed program) {
  co_await database.run(
      [&](storage::Transaction& transaction) { insert_program(transaction, id, program); });
}

async::task<bool> cancel_waiting(storage::Database& database, ExecutionId id, std::string message,
                                 WallTime now) {
  co_return co_await storage::transact(database, [&](storage::Transaction& transaction) {
    auto ended = transaction.execute(
        "UPDATE executions SET state = 'finished', verdict = $2, message = $3, finished_at = $4 "
        "WHERE id = $1 AND state <> 'finished' "
        "AND EXISTS (SELECT 1 FROM execution_programs WHERE execution_programs.id = $1)",
        id, sandbox::word(sandbox::Verdict::cancelled), message, now);
    if (ended > 0) claim_all(transaction, {id});
    return ended > 0;
  });
}

async::task<void> finish(storage::Database& database, Record record, unsigned in_files,
                         std::vector<ExecutionId> claimed, Row row) {
  co_await database.run([&](storage::Transaction& transaction) {
    if (row == Row::absent) {
      auto begun = record;
      begun.state = State::running;
      insert_one(transaction, {std::move(begun), std::nullopt});
    }
    const auto& outcome = record.outcome.value();
    auto truncated = (outcome.output_truncated ? 1 : 0) + (outcome.errors_truncated ? 2 : 0);
    // The condition keeps the first verdict, whatever happens: there is exactly one.
    transaction.execute(
        "UPDATE executions SET state = 'finished', verdict = $2, exit_code = $3, signal = $4, "
        "message = $5, served_image = $6, warm = $7, wall_us = $8, cpu_us = $9, "
        "memory_peak_bytes = $10, output = $11, errors = $12, bytes = $13, started_at = $14, "
        "finished_at = $15, executor = $16, truncated = $17, compile = $18, "
        "compile_output = $19, compile_errors = $20, artifacts = $21, in_files = $22, "
        "error_code = $23 "
        "WHERE id = $1 AND state <> 'finished'",
        record.id, sandbox::word(outcome.verdict), outcome.exit_code, outcome.signal,
        outcome.message, outcome.served_image, outcome.warm ? 1 : 0, outcome.wall_time.count(),
        outcome.cpu_time.count(), outcome.memory_peak_bytes,
        stream_value(record.output, in_files, output_in_file),
        stream_value(record.errors, in_files, errors_in_file), size_of(record), record.started_at,
        record.finished_at, outcome.executor, truncated, stage_text(outcome.compile),
        stream_value(record.compile_output, in_files, compile_output_in_file),
        stream_value(record.compile_errors, in_files, compile_errors_in_file),
        artifacts_text(record.artifacts), in_files, outcome.error_code);
    claim_all(transaction, claimed);
  });
}

async::task<std::optional<std::pair<Record, unsigned>>> find(storage::Database& database,
                                                             ExecutionId id) {
  co_return co_await storage::transact(database, [&](storage::Transaction& transaction) {
    std::optional<std::pair<Record, unsigned>> found;
    auto rows = transaction.query("SELECT " + std::string{columns} +
                                      ", source, output, errors, compile_output, compile_errors, "
                                      "in_files FROM executions WHERE id = $1",
                                  id);
    if (rows.empty()) return found;
    const auto& row = rows.front();
    auto record = record_of(row);
    record.source = row.text(columns_count);
    record.output = row.blob_or_null(columns_count + 1).value_or("");
    record.errors = row.blob_or_null(columns_count + 2).value_or("");
    record.compile_output = row.blob_or_null(columns_count + 3).value_or("");
    record.compile_errors = row.blob_or_null(columns_count + 4).value_or("");
    found.emplace(std::move(record), static_cast<unsigned>(row.integer(columns_count + 5)));
    return found;
  });
}

async::task<Page> list(storage::Database& database, Listing listing, Reach reach) {
  co_return co_await storage::transact(database, [&](storage::Transaction& transaction) {
    Page page;
    // Ids sort by creation. One row more than asked for tells whether there is a next page.
    auto rows = transaction.query(
        fmt::format("SELECT {} FROM executions WHERE ($1 = '' OR id < $1) "
                    "AND ($3 = '' OR batch = $3) {} ORDER BY id DESC LIMIT $2",
                    columns, reach.account() ? "AND owner_id = $4" : "AND $4 = ''"),
        listing.cursor, listing.limit + 1, listing.batch, reach.account().value_or(""));
    for (const auto& row : rows) {
      if (page.items.size() == static_cast<std::size_t>(listing.limit)) {
        page.next = page.items.back().id.text();
        break;
      }
      page.items.push_back(record_of(row));
    }
    return page;
  });
}

}  // namespace gantry::executions::store
