#include "storage/sqlite_connection.hpp"

#include "base/log.hpp"
#include "base/text.hpp"
#include "storage/data_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

#include <fmt/format.h>

namespace gantry::storage {
namespace {

constexpr std::size_t statements_max = 64;
// Nobody else should hold the file: this is for a backup tool that looks in for a moment.
constexpr int busy_wait_ms = 2'000;
// Reading every page is about 1 s for this much on a slow disk; larger files are trusted to the
// checks that SQLite makes page by page (cell_size_check).
constexpr std::uintmax_t integrity_check_bytes_max = 256U << 20U;
constexpr std::string_view way_back =
    "keep the file for inspection, and start with a restored backup or a new --data-dir";

const Catalogue catalogue{
    .columns = R"(SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY m.name, c.cid)",
    .references = R"(SELECT m.name, f."table" FROM sqlite_master m
        JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table')",
    .page = R"(SELECT rowid, {} FROM "{}" WHERE rowid > $1 ORDER BY rowid LIMIT $2)",
    .start = std::numeric_limits<std::int64_t>::min()};

/// Ends a transaction that did not reach its COMMIT.
class RollBack {
 public:
  explicit RollBack(sqlite3* handle) : handle_{handle} {}
  ~RollBack() {
    // After some errors SQLite has rolled back already.
    if (sqlite3_get_autocommit(handle_) == 0) {
      sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
    }
  }
  RollBack(const RollBack&) = delete;
  RollBack& operator=(const RollBack&) = delete;

 private:
  sqlite3* handle_;
};

/// Frees a statement's locks and parameters for its next use, whatever happened.
class Reset {
 public:
  explicit Reset(sqlite3_stmt* statement) : statement_{statement} {}
  ~Reset() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Reset(const Reset&) = delete;
  Reset& operator=(const Reset&) = delete;

 private:
  sqlite3_stmt* statement_;
};

int bind_value(sqlite3_stmt* statement, int index, const Value& value) {
  struct Binder {
    sqlite3_stmt* statement;
    int index;
    int operator()(std::monostate) const { return sqlite3_bind_null(statement, index); }
    int operator()(std::int64_t number) const {
      return sqlite3_bind_int64(statement, index, number);
    }
    int operator()(double number) const { return sqlite3_bind_double(statement, index, number); }
    // The parameters outlive the step, so SQLite need not copy them (nullptr: SQLITE_STATIC).
    int operator()(const std::string& text) const {
      return sqlite3_bind_text64(statement, index, text.data(), text.size(), nullptr, SQLITE_UTF8);
    }
    int operator()(const Blob& blob) const {
      return sqlite3_bind_blob64(statement, index, blob.bytes.data(), blob.bytes.size(), nullptr);
    }
  };
  return std::visit(Binder{statement, index}, value);
}

std::string bytes_of(const void* data, int length) {
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(length)};
}

Value column_value(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_TEXT: {
      const auto* text = sqlite3_column_text(statement, column);
      return bytes_of(text, sqlite3_column_bytes(statement, column));
    }
    case SQLITE_BLOB: {
      const auto* blob = sqlite3_column_blob(statement, column);
      return Blob{bytes_of(blob, sqlite3_column_bytes(statement, column))};
    }
    default:
      return std::monostate{};
  }
}

Row row_of(sqlite3_stmt* statement) {
  auto count = sqlite3_column_count(statement);
  std::vector<Value> values;
  values.reserve(static_cast<std::size_t>(count));
  for (int column = 0; column < count; ++column) values.push_back(column_value(statement, column));
  return Row{std::move(values)};
}

Error constraint_error(int code, std::string_view words) {
  auto error_code = "constraint_violated";
  if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) {
    error_code = "already_exists";
  } else if (code == SQLITE_CONSTRAINT_FOREIGNKEY) {
    error_code = "still_referenced";
  }
  return {
      ErrorKind::conflict, error_code, fmt::format("cannot write to the database: {}", words), {}};
}

bool lost_what_it_had(int code) {
  return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

}  // namespace

SqliteConnection::SqliteConnection(const std::filesystem::path& path) : path_{path} {
  make_private_file(path);  // SQLite gives its -wal file the same mode
  sqlite3* handle = nullptr;
  // No mutex: one thread only.
  auto code = sqlite3_open_v2(
      path.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE,
      nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) refuse(code);
  configure();
  check_integrity();
}

SqliteConnection::~SqliteConnection() { statements_.clear(); }

void SqliteConnection::configure() {
  sqlite3_busy_timeout(handle_.get(), busy_wait_ms);
  for (auto [option, value] : {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1},
                               {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                               {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
                               {SQLITE_DBCONFIG_DQS_DML, 0},
                               {SQLITE_DBCONFIG_DQS_DDL, 0}}) {
    sqlite3_db_config(handle_.get(), option, value, nullptr);
  }
  // Exclusive before WAL: no shared memory file, and no second connection at all.
  auto mode = run_script("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL").rows;
  if (mode.empty() || mode.back().text(0) != "wal") {
    throw Failure{{ErrorKind::unavailable, "database_unreachable",
                   fmt::format("cannot use database '{}': its file system can not keep a "
                               "write-ahead log",
                               path_.string()),
                   "choose a --data-dir on a local disk"}};
  }
  run_script(
      "PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON;"
      // Give the disk back after a large transaction.
      "PRAGMA journal_size_limit = 16777216");
}

void SqliteConnection::check_integrity() {
  std::error_code unknown;
  auto size = std::filesystem::file_size(path_, unknown);
  if (unknown || size > integrity_check_bytes_max) {
    log::info("database '{}' is large: its pages are checked as they are read", path_.string());
    return;
  }
  auto rows = run_script("PRAGMA quick_check(1)").rows;
  const auto& verdict = rows.front().text(0);
  if (verdict == "ok") return;
  throw Failure{{ErrorKind::internal, "database_corrupt",
                 fmt::format("cannot use database '{}': it is damaged ({})", path_.string(),
                             text::shortened(text::one_line(verdict), 200)),
                 std::string{way_back}}};
}

void SqliteConnection::transact(const TransactionBody& body) {
  if (broken_) throw Failure{*broken_};
  run("BEGIN IMMEDIATE", {});
  RollBack unless_committed{handle_.get()};
  Transaction transaction{[this](std::string_view sql, std::span<const Value> parameters) {
                            return run(sql, parameters);
                          },
                          catalogue};
  body(transaction);
  if (!transaction.rolled_back()) run("COMMIT", {});
}

Transaction::Answer SqliteConnection::run(std::string_view sql, std::span<const Value> parameters) {
  auto* statement = cached(sql);
  if (statement == nullptr) {
    CHECK(parameters.empty());  // several statements do not share parameters
    return run_script(sql);
  }
  Reset afterwards{statement};
  bind(statement, parameters);
  return step(statement);
}

Transaction::Answer SqliteConnection::run_script(std::string_view sql) {
  Transaction::Answer sum;
  while (auto statement = prepare(sql, 0)) {
    auto answer = step(statement.get());
    sum.rows = std::move(answer.rows);
    sum.changed += answer.changed;
  }
  return sum;
}

SqliteConnection::Statement SqliteConnection::prepare(std::string_view& sql, unsigned flags) {
  CHECK(sql.size() < static_cast<std::size_t>(std::numeric_limits<int>::max()));
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  auto code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), flags,
                                 &statement, &rest);
  if (code != SQLITE_OK) refuse(code);
  sql.remove_prefix(static_cast<std::size_t>(rest - sql.data()));
  return Statement{statement};
}

/// The prepared statement of `sql`; nullptr when `sql` holds several.
sqlite3_stmt* SqliteConnection::cached(std::string_view sql) {
  std::string key{sql};
  auto known = statements_.find(key);
  if (known != statements_.end()) {
    known->second.used_at = ++uses_;
    return known->second.statement.get();
  }
  auto rest = sql;
  auto statement = prepare(rest, SQLITE_PREPARE_PERSISTENT);
  if (!text::trimmed(rest).empty()) return nullptr;
  if (statements_.size() >= statements_max) {
    statements_.erase(std::ranges::min_element(
        statements_, {}, [](const auto& entry) { return entry.second.used_at; }));
  }
  auto& entry = statements_[std::move(key)];
  entry = {std::move(statement), ++uses_};
  return entry.statement.get();
}

void SqliteConnection::bind(sqlite3_stmt* statement, std::span<const Value> parameters) {
  CHECK(static_cast<std::size_t>(sqlite3_bind_parameter_count(statement)) == parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    // To SQLite `$2` is a name: its index is where it stands first in the statement.
    auto index = sqlite3_bind_parameter_index(statement, fmt::format("${}", i + 1).c_str());
    CHECK(index > 0);
    auto code = bind_value(statement, index, parameters[i]);
    if (code != SQLITE_OK) refuse(code);
  }
}

Transaction::Answer SqliteConnection::step(sqlite3_stmt* statement) {
  Transaction::Answer answer;
  auto before = sqlite3_total_changes64(handle_.get());
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) answer.rows.push_back(row_of(statement));
  if (code != SQLITE_DONE) refuse(code);
  // What `changes` says is old after a statement that changes nothing.
  if (sqlite3_total_changes64(handle_.get()) != before) {
    answer.changed = sqlite3_changes64(handle_.get());
  }
  return answer;
}

void SqliteConnection::refuse(int code) {
  auto error = describe(code);
  if (lost_what_it_had(code) && error.code != "disk_full") {
    // The kernel reports a failed flush once and forgets the pages: a second try would "succeed".
    broken_ = Error{ErrorKind::unavailable, "database_broken",
                    fmt::format("cannot use database '{}': the disk failed to keep what was "
                                "written",
                                path_.string()),
                    "look at the kernel's log, mend the disk, and restart gantry"};
    log::error("{}", broken_->sentence());
  }
  throw Failure{std::move(error)};
}

Error SqliteConnection::describe(int code) const {
  auto* handle = handle_.get();
  auto words = text::one_line(handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
  auto errno_of_it = handle != nullptr ? sqlite3_system_errno(handle) : 0;
  auto primary = code & 0xff;
  bool no_space = errno_of_it == ENOSPC || errno_of_it == EDQUOT;
  if (primary == SQLITE_CONSTRAINT) return constraint_error(code, words);
  if (primary == SQLITE_FULL || (primary == SQLITE_IOERR && no_space)) {
    return {ErrorKind::exhausted, "disk_full",
            fmt::format("cannot write to database '{}': the disk is full", path_.string()),
            "free some space there; a server that runs goes on by itself"};
  }
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
    return {ErrorKind::unavailable, "database_busy",
            fmt::format("cannot use database '{}': another program holds it", path_.string()),
            "end that program (perhaps a sqlite3 shell) and try again"};
  }
  if (primary == SQLITE_NOTADB) {
    return {ErrorKind::invalid, "not_a_database",
            fmt::format("cannot use database '{}': the file holds something else", path_.string()),
            "name another file with --database, or restore a backup"};
  }
  if (primary == SQLITE_CORRUPT) {
    return {ErrorKind::internal, "database_corrupt",
            fmt::format("cannot use database '{}': it is damaged ({})", path_.string(), words),
            std::string{way_back}};
  }
  if (primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY || primary == SQLITE_IOERR) {
    auto cause = errno_of_it != 0 ? std::generic_category().message(errno_of_it) : words;
    return {ErrorKind::unavailable, "database_unreachable",
            fmt::format("cannot use database '{}': {}", path_.string(), cause),
            "look at the disk and at the rights of the file and its folder"};
  }
  return {ErrorKind::internal,
          "database_error",
          fmt::format("cannot run a statement on database '{}': {}", path_.string(), words),
          {}};
}

}  // namespace gantry::storage
