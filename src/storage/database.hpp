#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "storage/catalogue.hpp"
#include "storage/value.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

/// Where the program keeps what must survive it: one seam, SQLite and PostgreSQL behind it.
///
/// SQL is written once, in the dialect both share: placeholders `$1`, `$2`; types `text`,
/// `bigint`, `double precision`, `bytea` (SQLite takes any name); `ON CONFLICT`, `RETURNING`. Texts
/// hold any bytes and are compared byte by byte; truth is a number, 0 or 1, never a condition by
/// itself.
namespace gantry::storage {

/// Statements between BEGIN and COMMIT, on the database's own thread.
///
/// Errors are thrown as Failure: a broken constraint is `conflict` (`already_exists` for a unique
/// one, `still_referenced` for a foreign key, else `constraint_violated`), a full disk `exhausted`
/// (`disk_full`), a database held by someone else `unavailable` (`database_busy`), anything else
/// `internal` (`database_error`).
class Transaction {
 public:
  struct Answer {
    Rows rows;
    std::int64_t changed = 0;
  };
  using Run = std::function<Answer(std::string_view sql, std::span<const Value> parameters)>;

  /// Made by a Database, which says how statements are run and how it tells what it holds.
  Transaction(Run run, const Catalogue& catalogue) : run_{std::move(run)}, catalogue_{catalogue} {}

  /// The rows of one statement. The whole answer is held in memory: write a LIMIT.
  template <class... Parameters>
  Rows query(std::string_view sql, const Parameters&... parameters) {
    const std::vector<Value> values{to_value(parameters)...};
    return run_(sql, values).rows;
  }

  /// The number of rows changed. Without parameters, `sql` may hold several statements.
  template <class... Parameters>
  std::int64_t execute(std::string_view sql, const Parameters&... parameters) {
    const std::vector<Value> values{to_value(parameters)...};
    return run_(sql, values).changed;
  }

  /// As query and execute, for whoever has values and no types.
  Answer run(std::string_view sql, std::span<const Value> values) { return run_(sql, values); }
  const Catalogue& catalogue() const { return catalogue_; }

  /// Nothing of this transaction shall stay, without that being an error.
  void roll_back() { rolled_back_ = true; }
  bool rolled_back() const { return rolled_back_; }

 private:
  Run run_;
  const Catalogue& catalogue_;
  bool rolled_back_ = false;
};

/// Runs on the database's own thread: values in, values out. It must not touch state of the event
/// loop, keep the reference, or wait for anything.
using TransactionBody = std::function<void(Transaction&)>;

/// A transactional store, owned by `main`. Its implementations pass storage/conformance_fake.hpp.
class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  /// Finishes what is queued.
  virtual ~Database() = default;

  /// Runs `body` in a transaction that sees no other one's changes, one after the other; what was
  /// written is durable when this answers. A body that throws is rolled back and rethrown here.
  /// Up to 1024 may wait, more are refused (`workers_busy`). A cancelled caller still waits for
  /// the end, so that it never finds out later what happened: `body` may use its locals.
  virtual async::task<void> run(TransactionBody body) = 0;

  /// What and where, for people: `SQLite at '/var/lib/gantry/gantry.db'`. Holds no password.
  virtual std::string describe() const = 0;
};

namespace detail {
template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<Result<T>> = true;
}  // namespace detail

/// Runs `work(Transaction&)` in a transaction and answers what it returns. A work that answers a
/// refusal (a Result without value) is rolled back, and the refusal is the answer.
template <class Work>
async::task<std::invoke_result_t<Work&, Transaction&>> transact(Database& database, Work work) {
  using Answer = std::invoke_result_t<Work&, Transaction&>;
  if constexpr (std::is_void_v<Answer>) {
    co_await database.run([&work](Transaction& transaction) { work(transaction); });
  } else {
    std::optional<Answer> answer;
    co_await database.run([&work, &answer](Transaction& transaction) {
      answer.emplace(work(transaction));
      if constexpr (detail::is_result<Answer>) {
        if (!*answer) transaction.roll_back();
      }
    });
    co_return std::move(*answer);
  }
}

/// The database of `url`: `postgresql://…` (with `password`, when given, in the place of the
/// URL's), a path (`sqlite:PATH` too) or, when empty, `gantry.db` in `data_directory`, which is
/// made when absent (mode 0700) and locked against a second process for as long as the database is
/// open, as the database itself is. Throws Failure: `already_running` (conflict; says which
/// process), `not_a_database` and `database_corrupt` (with the way back), `database_unsupported`,
/// `database_unreachable`, `database_denied`.
async::task<std::unique_ptr<Database>> open(std::string url, std::filesystem::path data_directory,
                                            std::optional<Secret> password = {});

}  // namespace gantry::storage
