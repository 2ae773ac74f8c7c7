#pragma once

#include "base/error.hpp"
#include "storage/database.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include <sqlite3.h>

namespace gantry::storage {

/// The one connection to a SQLite file. Every function blocks: all of them, the constructor
/// included, run on one thread of async::Workers.
///
/// One connection that holds the file exclusively is more than tidiness: SQLite before 3.51.3 can
/// corrupt a WAL database when two connections commit and checkpoint at the same moment.
class SqliteConnection {
 public:
  /// Opens or makes the file and looks whether it is whole. Throws Failure as storage::open says.
  explicit SqliteConnection(const std::filesystem::path& path);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  /// BEGIN IMMEDIATE, the body, COMMIT; rolled back when the body throws or asks for it.
  void transact(const TransactionBody& body);

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;
  struct Cached {
    Statement statement;
    std::uint64_t used_at = 0;
  };

  Transaction::Answer run(std::string_view sql, std::span<const Value> parameters);
  Transaction::Answer run_script(std::string_view sql);
  /// The statement at the start of `sql`, which then begins behind it.
  Statement prepare(std::string_view& sql, unsigned flags);
  sqlite3_stmt* cached(std::string_view sql);
  void bind(sqlite3_stmt* statement, std::span<const Value> parameters);
  Transaction::Answer step(sqlite3_stmt* statement);
  void configure();
  void check_integrity();
  /// What a result code of SQLite means.
  Error describe(int code) const;
  [[noreturn]] void refuse(int code);

  std::filesystem::path path_;
  std::unique_ptr<sqlite3, Close> handle_;
  std::unordered_map<std::string, Cached> statements_;
  std::uint64_t uses_ = 0;
  /// Set once the disk has failed to keep what it was given: nothing is believed any more.
  std::optional<Error> broken_;
};

}  // namespace gantry::storage
