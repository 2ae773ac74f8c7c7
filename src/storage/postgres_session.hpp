#pragma once

#include "async/backoff.hpp"
#include "base/clock.hpp"
#include "storage/database.hpp"
#include "storage/postgres_link.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gantry::storage {

/// One server's use of a PostgreSQL database: a connection that is made anew when it is lost, the
/// lock by which only one server uses the database, and what becomes of a transaction when the
/// connection goes in the middle of it. Every function blocks and runs on one thread.
///
/// Nothing is ever written twice and nothing is lost silently: what had not reached its COMMIT is
/// refused (the server drops it), and of a COMMIT without an answer the server is asked what became
/// of it, by the transaction's id.
class PostgresSession {
 public:
  /// Connects and takes the lock. Throws as storage::open.
  explicit PostgresSession(PostgresAddress address);

  void transact(const TransactionBody& body);

 private:
  class RollBack;
  enum class Fate { committed, dropped, unknown };

  void connect();
  void reconnect();
  void take_lock();
  Result<> try_lock();
  void begin();
  void commit();
  void settle(const std::string& transaction, const Error& cause);
  Fate fate_of(const std::string& transaction);
  std::optional<Fate> ask_for_fate(const std::string& transaction);
  PostgresLink::Answer run(std::string_view sql, std::span<const Value> parameters = {});

  PostgresAddress address_;
  std::optional<PostgresLink> link_;
  /// The server's process that held the lock for us.
  std::optional<int> former_process_;
  std::string timeline_;
  bool wrote_ = false;
  async::Backoff backoff_;
  SteadyTime not_before_{};
  std::optional<Error> last_failure_;
};

}  // namespace gantry::storage
