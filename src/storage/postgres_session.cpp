#include "storage/postgres_session.hpp"

#include "base/log.hpp"
#include "storage/postgres_errors.hpp"

#include <utility>

#include <fmt/format.h>
#include <poll.h>

namespace gantry::storage {
namespace {

constexpr Milliseconds first_retry{100};
constexpr Milliseconds longest_retry{10'000};
/// A server that was killed a moment ago may hold the lock a moment longer.
constexpr Milliseconds lock_limit{3'000};
/// How long the fate of a transaction is asked for. Everybody's next transaction waits meanwhile.
constexpr Milliseconds fate_limit{10'000};

/// The lock's name within the database: ours ("gant"), and the schema's that holds the tables.
constexpr std::string_view lock_sql =
    "SELECT pg_try_advisory_lock(1734438516, hashtext(current_schema()))";
constexpr std::string_view holder_sql = R"(
    SELECT l.pid, coalesce(a.application_name, ''), coalesce(host(a.client_addr), 'its own machine')
    FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 1734438516
      AND l.objid::bigint = (hashtext(current_schema())::bigint & 4294967295)
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))";

/// Of the tables that are ours: somebody else's may lie beside them.
const Catalogue catalogue{.columns = R"(
        SELECT k.relname, a.attname FROM pg_class k JOIN pg_attribute a ON a.attrelid = k.oid
        WHERE k.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
          AND k.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
          AND k.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY k.relname, a.attnum)",
                          .references = R"(
        SELECT k.relname, r.relname FROM pg_constraint c JOIN pg_class k ON k.oid = c.conrelid
        JOIN pg_class r ON r.oid = c.confrelid WHERE c.contype = 'f'
          AND k.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()))",
                          // Qualified: an unqualified `ctid` in ORDER BY is the text in the answer.
                          .page = R"(SELECT t.ctid::text, {} FROM "{}" AS t WHERE t.ctid > $1::tid
        ORDER BY t.ctid LIMIT $2)",
                          .start = std::string{"(0,0)"}};

/// This thread has nothing else to do; the event loop goes on.
void rest(Milliseconds time) { ::poll(nullptr, 0, static_cast<int>(time.count())); }

}  // namespace

/// Ends a transaction that did not reach its COMMIT.
class PostgresSession::RollBack {
 public:
  explicit RollBack(PostgresSession& session) : session_{session} {}
  ~RollBack() {
    if (!session_.link_ || !wanted_) return;
    try {
      session_.run("ROLLBACK");
    } catch (const Failure& failure) {
      // The server drops what a connection has begun when the connection goes.
      log::debug("{}", failure.error().sentence());
      session_.link_.reset();
    }
  }
  RollBack(const RollBack&) = delete;
  RollBack& operator=(const RollBack&) = delete;
  void not_wanted() { wanted_ = false; }

 private:
  PostgresSession& session_;
  bool wanted_ = true;
};

PostgresSession::PostgresSession(PostgresAddress address)
    : address_{std::move(address)}, backoff_{first_retry, longest_retry} {
  connect();
}

void PostgresSession::connect() {
  link_.emplace(address_);
  take_lock();
  former_process_ = link_->process();
  timeline_ = link_->timeline();
}

/// Fails at once while the last failure is too young: who asks gets an answer, not a wait.
void PostgresSession::reconnect() {
  if (last_failure_ && steady_now() < not_before_) throw Failure{*last_failure_};
  try {
    connect();
  } catch (const Failure& failure) {
    link_.reset();
    if (!last_failure_) log::warn("{}", failure.error().sentence());
    last_failure_ = failure.error();
    not_before_ = steady_now() + backoff_.next();
    throw;
  }
  if (last_failure_) log::info("database '{}' is back", address_.shown());
  last_failure_.reset();
  backoff_.reset();
}

void PostgresSession::take_lock() {
  auto until = steady_now() + lock_limit;
  async::Backoff wait{Milliseconds{50}, Milliseconds{500}};
  for (;;) {
    auto taken = try_lock();
    if (taken) return;
    if (steady_now() > until) throw Failure{taken.error()};
    rest(wait.next());
  }
}

/// Refuses when somebody else holds it. Our own former connection, which the server may not know to
/// be gone, is ended.
Result<> PostgresSession::try_lock() {
  if (link_->run(lock_sql).rows.front().integer(0) == 1) return ok;
  auto rows = link_->run(holder_sql).rows;
  std::string holder{"another server"};
  if (!rows.empty()) {
    const auto& row = rows.front();
    if (former_process_ && row.integer(0) == *former_process_) {
      std::vector<Value> process{std::int64_t{*former_process_}};
      link_->run("SELECT pg_terminate_backend($1::integer)", process);
    }
    holder = fmt::format("'{}' from {}", row.text(1), row.text(2));
  }
  return fail(ErrorKind::conflict, "already_running",
              fmt::format("cannot use database '{}': {} is using it", address_.shown(), holder),
              "stop that server first, or give this one a database or a schema of its own");
}

PostgresLink::Answer PostgresSession::run(std::string_view sql, std::span<const Value> parameters) {
  if (link_->lost()) throw Failure{postgres_unreachable("", address_.shown())};
  return link_->run(sql, parameters);
}

/// Nothing has been done yet: a connection that was lost in the meantime costs a second try.
void PostgresSession::begin() {
  constexpr std::string_view sql = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
  wrote_ = false;
  if (link_ && !link_->lost()) {
    try {
      run(sql);
      return;
    } catch (const Failure& failure) {
      if (!link_->lost()) throw;
      log::warn("{}", failure.error().sentence());
    }
  }
  link_.reset();
  reconnect();
  run(sql);
}

void PostgresSession::transact(const TransactionBody& body) {
  begin();
  RollBack unless_committed{*this};
  Transaction transaction{
      [this](std::string_view sql, std::span<const Value> parameters) -> Transaction::Answer {
        auto answer = run(sql, parameters);
        wrote_ = wrote_ || answer.wrote;
        return answer;
      },
      catalogue};
  body(transaction);
  if (transaction.rolled_back()) return;
  commit();
  unless_committed.not_wanted();
}

void PostgresSession::commit() {
  std::string id;
  if (wrote_)
    id = run("SELECT coalesce(pg_current_xact_id_if_assigned()::text, '')").rows.front().text(0);
  std::string tag;
  try {
    tag = run("COMMIT").tag;
  } catch (const Failure& failure) {
    if (!link_->lost() || id.empty()) throw;
    settle(id, failure.error());
    return;
  }
  // So the server answers COMMIT after a statement that failed: everything is dropped.
  if (tag != "COMMIT") {
    throw Failure{{ErrorKind::internal,
                   "database_error",
                   fmt::format("cannot commit to database '{}': a statement before had failed",
                               address_.shown()),
                   {}}};
  }
}

/// The connection went while COMMIT was under way: it may have happened or not.
void PostgresSession::settle(const std::string& transaction, const Error& cause) {
  log::warn("{}", cause.sentence());
  link_.reset();
  switch (fate_of(transaction)) {
    case Fate::committed:
      return;
    case Fate::dropped:
      throw Failure{cause};
    case Fate::unknown:
      break;
  }
  Error error{ErrorKind::unavailable, "database_outcome_unknown",
              fmt::format("cannot tell whether the last change was kept in database '{}': the "
                          "connection was lost in its COMMIT",
                          address_.shown()),
              "look whether it is there before doing it again"};
  log::error("{}", error.sentence());
  throw Failure{std::move(error)};
}

PostgresSession::Fate PostgresSession::fate_of(const std::string& transaction) {
  auto until = steady_now() + fate_limit;
  async::Backoff wait{first_retry, Milliseconds{2'000}};
  while (steady_now() < until) {
    try {
      if (auto fate = ask_for_fate(transaction)) return *fate;
    } catch (const Failure& failure) {
      log::debug("{}", failure.error().sentence());
    }
    rest(wait.next());
  }
  return Fate::unknown;
}

/// Nothing while the server still works on it.
std::optional<PostgresSession::Fate> PostgresSession::ask_for_fate(const std::string& transaction) {
  PostgresLink fresh{address_};
  // Another server has taken over: its ids are not those of the one we asked.
  if (fresh.timeline() != timeline_) return Fate::unknown;
  std::vector<Value> id{transaction};
  auto row = fresh.run("SELECT coalesce(pg_xact_status($1::xid8), '')", id).rows.front();
  const auto& status = row.text(0);
  if (status == "committed") return Fate::committed;
  if (status == "aborted") return Fate::dropped;
  if (status == "in progress") return std::nullopt;
  return Fate::unknown;
}

}  // namespace gantry::storage
