#include "storage/backup.hpp"

#include "storage/backup_format.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

namespace gantry::storage {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view versions_table = "schema_versions";
/// Rows are read so many at a time: outputs of executions are among them.
constexpr std::int64_t rows_at_once = 50;
constexpr std::size_t write_at_once = 256U << 10U;

struct Table {
  std::string name;
  std::vector<std::string> columns;
};

/// All tables, each behind those that it refers to.
std::vector<Table> tables_of(Transaction& transaction) {
  std::map<std::string, Table> tables;
  for (const auto& row : transaction.query(transaction.catalogue().columns)) {
    auto& table = tables[row.text(0)];
    table.name = row.text(0);
    table.columns.push_back(row.text(1));
  }
  std::map<std::string, std::set<std::string>> needs;
  for (const auto& row : transaction.query(transaction.catalogue().references)) {
    if (row.text(0) != row.text(1)) needs[row.text(0)].insert(row.text(1));
  }
  std::vector<Table> ordered;
  std::set<std::string> placed;
  std::function<void(const std::string&)> place = [&](const std::string& name) {
    if (!tables.contains(name) || !placed.insert(name).second) return;
    for (const auto& needed : needs[name]) place(needed);
    ordered.push_back(tables[name]);
  };
  for (const auto& [name, table] : tables) place(name);
  return ordered;
}

std::string quoted(const std::vector<std::string>& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(fmt::format("\"{}\"", column));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::map<std::string, std::int64_t> versions_of(Transaction& transaction) {
  std::map<std::string, std::int64_t> versions;
  for (const auto& row : transaction.query(
           "SELECT component, max(version) FROM schema_versions GROUP BY component")) {
    versions.emplace(row.text(0), row.integer(1));
  }
  return versions;
}

[[noreturn]] void refuse_to_write(const fs::path& path, int cause) {
  if (cause == EEXIST) {
    throw Failure{{ErrorKind::conflict, "already_exists",
                   fmt::format("cannot write backup '{}': it exists", path.string()),
                   "choose another name, or give --force"}};
  }
  throw Failure{{cause == ENOSPC ? ErrorKind::exhausted : ErrorKind::unavailable,
                 "backup_unwritable",
                 fmt::format("cannot write backup '{}': {}", path.string(),
                             std::generic_category().message(cause)),
                 "choose a folder that can be written and has room"}};
}

/// Writes lines to a file that is open.
class Lines {
 public:
  Lines(int file, fs::path path) : file_{file}, path_{std::move(path)} {}

  void line(std::string_view text) {
    waiting_ += text;
    waiting_ += '\n';
    if (waiting_.size() >= write_at_once) flush();
  }

  void flush() {
    std::string_view left{waiting_};
    while (!left.empty()) {
      auto written = ::write(file_, left.data(), left.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) refuse_to_write(path_, errno);
      left.remove_prefix(static_cast<std::size_t>(written));
    }
    waiting_.clear();
  }

 private:
  int file_;
  fs::path path_;
  std::string waiting_;
};

/// A file beside its final name, which it gets when it is complete; removed if it never is.
class Pending {
 public:
  explicit Pending(fs::path final) : final_{std::move(final)} {
    auto pattern = final_.string() + ".part-XXXXXX";
    file_ = async::Descriptor{::mkostemp(pattern.data(), O_CLOEXEC)};  // 0600
    if (!file_) refuse_to_write(final_, errno);
    path_ = pattern;
  }
  ~Pending() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  Lines lines() const { return {file_.get(), final_}; }

  void finish(Replace replace) {
    if (::fsync(file_.get()) != 0) refuse_to_write(final_, errno);
    // A link fails where something is already; a rename takes its place.
    auto named = replace == Replace::allowed ? std::rename(path_.c_str(), final_.c_str())
                                             : ::link(path_.c_str(), final_.c_str());
    if (named != 0) refuse_to_write(final_, errno);
    auto parent = final_.has_parent_path() ? final_.parent_path() : fs::path{"."};
    async::Descriptor folder{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder || ::fsync(folder.get()) != 0) refuse_to_write(final_, errno);
  }

 private:
  fs::path final_;
  fs::path path_;
  async::Descriptor file_;
};

/// The lines of one database.
class Dump {
 public:
  Dump(Transaction& transaction, Lines& out) : transaction_{transaction}, out_{out} {}

  BackupRows write(BackupHead head) {
    head.schema = versions_of(transaction_);
    hashed(head_line(head));
    BackupRows rows;
    for (const auto& table : tables_of(transaction_)) {
      if (table.name != versions_table) rows[table.name] = write_table(table);
    }
    json::Object end{{"rows", total_}, {"sha256", hash_.hex()}};
    out_.line(json::serialize(json::Object{{"end", std::move(end)}}));
    out_.flush();
    return rows;
  }

 private:
  static std::string head_line(const BackupHead& head) {
    return json::serialize(backup_head_json(head));
  }

  void hashed(const std::string& line) {
    hash_.add(line);
    out_.line(line);
  }

  std::int64_t write_table(const Table& table) {
    json::Array columns;
    for (const auto& column : table.columns) columns.emplace_back(column);
    hashed(json::serialize(json::Object{{"table", table.name}, {"columns", std::move(columns)}}));
    auto sql =
        fmt::format(fmt::runtime(transaction_.catalogue().page), quoted(table.columns), table.name);
    auto place = transaction_.catalogue().start;
    std::int64_t count = 0;
    for (;;) {
      const std::vector<Value> from{place, rows_at_once};
      auto rows = transaction_.run(sql, from).rows;
      for (const auto& row : rows) {
        json::Array line;
        for (std::size_t i = 1; i < row.size(); ++i) line.push_back(backup_value(row.value(i)));
        hashed(json::serialize(line));
      }
      count += static_cast<std::int64_t>(rows.size());
      if (std::cmp_less(rows.size(), rows_at_once)) break;
      place = rows.back().value(0);
    }
    total_ += count;
    return count;
  }

  Transaction& transaction_;
  Lines& out_;
  LineHash hash_;
  std::int64_t total_ = 0;
};

void check_versions(Transaction& transaction, const BackupHead& head) {
  auto here = versions_of(transaction);
  for (const auto& [component, version] : head.schema) {
    auto known = here.contains(component) ? here[component] : 0;
    if (version == known) continue;
    bool newer = version > known;
    throw Failure{
        {ErrorKind::conflict, newer ? "backup_newer" : "backup_older",
         fmt::format("cannot restore the backup: gantry {} wrote it, whose '{}' tables have "
                     "version {}; those of this program have {}",
                     head.program, component, version, known),
         newer ? "restore it with that version of gantry"
               : "restore it with that version of gantry, and start this one on it then"}};
  }
}

void empty_tables(Transaction& transaction, const std::vector<Table>& tables) {
  for (auto table = tables.rbegin(); table != tables.rend(); ++table) {
    if (table->name == versions_table) continue;
    transaction.execute(fmt::format("DELETE FROM \"{}\"", table->name));
  }
}

/// Refuses a table or a column that is not there.
std::string insert_into(const std::vector<Table>& tables, const BackupReader& reader) {
  auto known = std::ranges::find(tables, reader.table(), &Table::name);
  bool fits = known != tables.end() && known->name != versions_table &&
              std::ranges::all_of(reader.columns(), [&](const std::string& column) {
                return std::ranges::find(known->columns, column) != known->columns.end();
              });
  if (!fits) {
    throw Failure{{ErrorKind::conflict, "backup_newer",
                   fmt::format("cannot restore the backup: this program has no such table '{}'",
                               reader.table()),
                   "restore it with the version of gantry that wrote it"}};
  }
  std::vector<std::string> places;
  for (std::size_t i = 1; i <= reader.columns().size(); ++i)
    places.push_back(fmt::format("${}", i));
  return fmt::format("INSERT INTO \"{}\" ({}) VALUES ({})", reader.table(),
                     quoted(reader.columns()), fmt::join(places, ", "));
}

BackupRows fill(Transaction& transaction, BackupReader& reader) {
  auto tables = tables_of(transaction);
  empty_tables(transaction, tables);
  BackupRows rows;
  std::string sql;
  while (reader.next()) {
    if (reader.at_table()) {
      sql = insert_into(tables, reader);
      rows[reader.table()] = 0;
    } else {
      transaction.run(sql, reader.row());
      ++rows[reader.table()];
    }
  }
  return rows;
}

}  // namespace

async::task<BackupRows> write_backup(Database& database, fs::path file, BackupHead head,
                                     Replace replace) {
  co_return co_await transact(database, [&](Transaction& transaction) {
    Pending out{file};
    auto lines = out.lines();
    auto rows = Dump{transaction, lines}.write(std::move(head));
    out.finish(replace);
    return rows;
  });
}

async::task<async::Descriptor> nameless_backup(Database& database, fs::path folder,
                                               BackupHead head) {
  co_return co_await transact(database, [&](Transaction& transaction) {
    async::Descriptor file{::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
    if (!file) refuse_to_write(folder, errno);
    Lines lines{file.get(), folder};
    Dump{transaction, lines}.write(std::move(head));
    if (::lseek(file.get(), 0, SEEK_SET) != 0) refuse_to_write(folder, errno);
    return file;
  });
}

Result<BackupHead> check_backup(const fs::path& file) {
  try {
    BackupReader reader{file};
    while (reader.next()) continue;
    return reader.head();
  } catch (const Failure& failure) {
    return fail(failure.error());
  }
}

async::task<bool> is_empty(Database& database) {
  co_return co_await transact(database, [](Transaction& transaction) {
    return transaction.query(transaction.catalogue().columns).empty();
  });
}

async::task<BackupRows> restore_backup(Database& database, fs::path file) {
  co_return co_await transact(database, [&](Transaction& transaction) {
    BackupReader reader{file};
    check_versions(transaction, reader.head());
    return fill(transaction, reader);
  });
}

}  // namespace gantry::storage
