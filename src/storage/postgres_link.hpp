#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "storage/database.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include <libpq-fe.h>

namespace gantry::storage {

/// Which PostgreSQL, and as whom.
struct PostgresAddress {
  std::string url;  ///< `postgresql://user:password@host/name?sslmode=…`, as libpq reads it.
  /// Instead of the password in `url`.
  std::optional<Secret> password = {};

  /// For people: without its password.
  std::string shown() const;
};

/// One connection to a PostgreSQL server, from its beginning to its loss. Every function blocks,
/// none for longer than a minute. Errors are thrown as Transaction says.
class PostgresLink {
 public:
  struct Answer : Transaction::Answer {
    /// What was done, as the server names it: `SELECT 3`, `COMMIT`.
    std::string tag;
    /// Whether something may have been written.
    bool wrote = false;
    bool made_columns = false;
  };

  /// Connects. Throws Failure `database_unreachable`, `database_denied`, `database_unsupported`.
  explicit PostgresLink(const PostgresAddress& address);

  /// One statement with parameters `$1` to `$n`, or one or several without any.
  Answer run(std::string_view sql, std::span<const Value> parameters = {});
  /// Whether the connection has ended: nothing more can be asked.
  bool lost() const { return lost_; }
  /// The server's process behind this connection.
  int process() const { return PQbackendPID(handle_.get()); }
  /// Which history of the cluster this is: another one after a standby has taken over.
  const std::string& timeline() const { return timeline_; }

 private:
  struct Close {
    void operator()(PGconn* handle) const { PQfinish(handle); }
  };
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Outcome = std::unique_ptr<PGresult, Clear>;
  struct Prepared {
    std::string name;
    std::uint64_t used_at = 0;
  };

  void connect(const PostgresAddress& address);
  void configure();
  /// Throws with the cause that libpq gives; the connection is lost.
  [[noreturn]] void give_up(std::string cause);
  [[noreturn]] void refuse(const PGresult* outcome);
  void wait(short events, SteadyTime until);
  void sent(int accepted, SteadyTime until);
  Answer collect(SteadyTime until);
  void take(Answer& answer, const PGresult* outcome);
  const std::string& prepared(std::string_view sql, std::span<const Value> parameters,
                              SteadyTime until);
  void forget_prepared();
  void adopt_columns();

  std::string shown_;
  std::unique_ptr<PGconn, Close> handle_;
  std::unordered_map<std::string, Prepared> statements_;
  std::uint64_t uses_ = 0;
  std::uint64_t names_ = 0;
  bool lost_ = false;
  std::string timeline_;
};

}  // namespace gantry::storage
