#include "access/audit_store.hpp"

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "storage/migrations.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace gantry::access::audit {
namespace {

constexpr std::size_t text_bytes_max = 256;
constexpr std::size_t details_bytes_max = 32U << 10U;
constexpr std::size_t member_bytes_max = 256;  // of details that are too long together
constexpr int page_max = 500;
constexpr int read_at_once = 1'000;

// The head says how long the chain is: without it a shortened chain would still be a chain.
constexpr std::array migrations{storage::Migration{1, "audit", R"(
  CREATE TABLE audit (
    sequence bigint PRIMARY KEY,
    at bigint NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    outcome text NOT NULL,
    details text NOT NULL,
    previous_hash text NOT NULL,
    hash text NOT NULL
  );
  CREATE TABLE audit_head (
    one bigint PRIMARY KEY CHECK (one = 1),
    sequence bigint NOT NULL,
    hash text NOT NULL
  );
  INSERT INTO audit_head (one, sequence, hash) VALUES (1, 0, ''))"}};

constexpr std::string_view columns =
    "sequence, at, actor, action, target, outcome, details, previous_hash, hash";

struct Head {
  std::int64_t sequence = 0;
  std::string hash;
};

Head head(storage::Transaction& transaction) {
  auto row = transaction.query("SELECT sequence, hash FROM audit_head WHERE one = 1").front();
  return {row.integer(0), row.text(1)};
}

AuditRecord from_row(const storage::Row& row) {
  return {.sequence = row.integer(0),
          .at = row.time(1),
          .entry = {.actor = row.text(2),
                    .action = row.text(3),
                    .target = row.text(4),
                    .outcome = row.text(5),
                    .details = row.text(6)},
          .previous_hash = row.text(7),
          .hash = row.text(8)};
}

/// Every field with its length before it, so that no two records have the same form.
std::string hash_of(const AuditRecord& record) {
  const auto& entry = record.entry;
  std::string form;
  for (const auto& field :
       {std::string{"gantry audit 1"}, record.previous_hash, std::to_string(record.sequence),
        std::to_string(record.at.time_since_epoch().count()), entry.actor, entry.action,
        entry.target, entry.outcome, entry.details}) {
    form += fmt::format("{}:{},", field.size(), field);
  }
  return encoding::sha256_hex(form);
}

/// What is wrong with `record` as the one after `previous`; empty when nothing is.
std::string_view fault(const AuditRecord& record, const Head& previous) {
  if (record.sequence != previous.sequence + 1) return "a record is missing";
  if (record.previous_hash != previous.hash) return "it does not continue the one before";
  if (record.hash != hash_of(record)) return "it was altered";
  return {};
}

/// Details that fit, and are JSON still: of what is too long only the size is kept.
std::string details_of(const std::string& text) {
  if (text.size() <= details_bytes_max) return text;
  auto parsed = json::parse(text, json::Keys::tolerant);
  if (parsed && parsed->is_object()) {
    for (auto& member : parsed->get_object()) {
      auto size = json::serialize(member.value()).size();
      if (size > member_bytes_max) member.value() = json::Object{{"bytes", size}};
    }
    if (auto shorter = json::serialize(*parsed); shorter.size() <= details_bytes_max) {
      return shorter;
    }
  }
  return json::serialize(json::Object{{"details_bytes", text.size()}});
}

struct Chunk {
  std::vector<AuditRecord> records;
  Head head;
};

Chunk read_after(storage::Transaction& transaction, std::int64_t sequence) {
  return {.records = after(transaction, sequence), .head = head(transaction)};
}

}  // namespace

async::task<void> migrate(storage::Database& database) {
  co_await storage::migrate(database, "audit", migrations);
}

void append(storage::Transaction& transaction, const AuditEntry& entry, WallTime now) {
  auto bounded = [](const std::string& text) {
    return text::shortened(text::one_line(text), text_bytes_max);
  };
  auto last = head(transaction);
  AuditRecord record{.sequence = last.sequence + 1,
                     .at = now,
                     .entry = {.actor = bounded(entry.actor),
                               .action = bounded(entry.action),
                               .target = bounded(entry.target),
                               .outcome = bounded(entry.outcome),
                               .details = details_of(entry.details)},
                     .previous_hash = last.hash};
  record.hash = hash_of(record);
  const auto& kept = record.entry;
  transaction.execute(fmt::format("INSERT INTO audit ({}) VALUES "
                                  "($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                                  columns),
                      record.sequence, record.at, kept.actor, kept.action, kept.target,
                      kept.outcome, kept.details, record.previous_hash, record.hash);
  transaction.execute("UPDATE audit_head SET sequence = $1, hash = $2 WHERE one = 1",
                      record.sequence, record.hash);
}

Result<AuditPage> list(storage::Transaction& transaction, int limit, const std::string& cursor,
                       const AuditFilter& filter) {
  auto before = INT64_MAX;
  if (!cursor.empty()) {
    auto [end, bad] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), before);
    if (bad != std::errc{} || end != cursor.data() + cursor.size() || before < 1) {
      return fail(ErrorKind::invalid, "invalid_cursor",
                  fmt::format("cannot continue list 'audit' at '{}': not a cursor of this list",
                              text::shortened(text::one_line(cursor), 80)),
                  "start again without a cursor");
    }
  }
  limit = std::clamp(limit, 1, page_max);
  AuditPage page;
  for (const auto& row : transaction.query(
           fmt::format(
               "SELECT {} FROM audit WHERE sequence < $1 AND ($2 = '' OR actor = $2) "
               "AND ($3 = '' OR action = $3 OR substr(action, 1, length($3) + 1) = $3 || "
               "'.') AND ($4 = '' OR target = $4 OR substr(target, 1, length($4) + 1) = $4 || "
               "'/') AND at >= $5 AND at < $6 ORDER BY sequence DESC LIMIT {}",
               columns, limit),
           before, filter.actor, filter.action, filter.target, filter.since.value_or(WallTime{}),
           filter.until.value_or(WallTime::max()))) {
    page.items.push_back(from_row(row));
  }
  if (!page.items.empty() && page.items.back().sequence > 1 &&
      page.items.size() == static_cast<std::size_t>(limit)) {
    page.next = std::to_string(page.items.back().sequence);
  }
  return page;
}

std::vector<AuditRecord> after(storage::Transaction& transaction, std::int64_t sequence) {
  std::vector<AuditRecord> records;
  for (const auto& row : transaction.query(
           fmt::format("SELECT {} FROM audit WHERE sequence > $1 ORDER BY sequence LIMIT {}",
                       columns, read_at_once),
           sequence)) {
    records.push_back(from_row(row));
  }
  return records;
}

async::task<AuditCheck> verify(storage::Database& database) {
  AuditCheck check;
  Head previous;
  for (;;) {
    auto chunk = co_await storage::transact(database, [&](storage::Transaction& transaction) {
      return read_after(transaction, previous.sequence);
    });
    for (const auto& record : chunk.records) {
      if (auto reason = fault(record, previous); !reason.empty()) {
        check.broken_at = previous.sequence + 1;
        check.reason = reason;
        co_return check;
      }
      previous = {record.sequence, record.hash};
      ++check.records;
      check.last_hash = record.hash;
    }
    if (!chunk.records.empty()) continue;
    if (chunk.head.sequence != previous.sequence || chunk.head.hash != previous.hash) {
      check.broken_at = previous.sequence + 1;
      check.reason = "the end of the chain was cut off or replaced";
    }
    co_return check;
  }
}

}  // namespace gantry::access::audit
