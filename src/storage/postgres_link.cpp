#include "storage/postgres_link.hpp"

#include "base/log.hpp"
#include "base/text.hpp"
#include "storage/postgres_errors.hpp"
#include "storage/postgres_values.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

// libpq is used without blocking calls of its own, so that every wait has a deadline: a server that
// stops answering without closing the connection must not stop ours.
namespace gantry::storage {
namespace {

constexpr Milliseconds connect_limit{10'000};
/// The server ends a statement by itself after 30 s; what is silent longer is gone.
constexpr Milliseconds answer_limit{45'000};
constexpr std::size_t statements_max = 64;
/// The first one with pg_xact_status's 64-bit ids.
constexpr int version_min = 130'000;

/// Only what is not durable by the server's configuration is made so. The timeouts are the
/// server's side of `answer_limit`; a client that vanished is noticed within a minute.
constexpr std::string_view settings = R"(
    SET client_encoding = 'UTF8'; SET bytea_output = 'hex'; SET extra_float_digits = 1;
    SET statement_timeout = '30s'; SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s';
    SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
    SELECT set_config('synchronous_commit', 'on', false)
      WHERE current_setting('synchronous_commit') = 'off';
    SELECT current_setting('server_encoding'), current_setting('fsync'),
      substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), coalesce(current_schema(), ''))";

/// Texts are compared byte by byte, as in SQLite, and not by a language's rules: columns that this
/// transaction has made get the collation that does.
constexpr std::string_view adopt = R"(
    DO $$ DECLARE one record; BEGIN
      FOR one IN SELECT k.oid::regclass AS owner, a.attname AS name
        FROM pg_attribute a JOIN pg_class k ON k.oid = a.attrelid
        WHERE k.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
          AND a.atttypid = 'text'::regtype AND a.attcollation <> '"C"'::regcollation
          AND a.xmin = pg_current_xact_id()::xid
      LOOP EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE text COLLATE "C"',
                          one.owner, one.name); END LOOP;
    END $$)";

std::string host_name() {
  std::array<char, 65> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

/// Keyword and value pairs as libpq takes them.
class Keywords {
 public:
  void set(const char* name, std::string value) {
    names_.push_back(name);
    values_.push_back(std::move(value));
  }
  PGconn* start() const {
    std::vector<const char*> names{names_};
    std::vector<const char*> values;
    for (const auto& value : values_) values.push_back(value.c_str());
    names.push_back(nullptr);
    values.push_back(nullptr);
    return PQconnectStartParams(names.data(), values.data(), 1);
  }

 private:
  std::vector<const char*> names_;
  std::vector<std::string> values_;
};

bool understood(const std::string& url) {
  auto* options = PQconninfoParse(url.c_str(), nullptr);
  PQconninfoFree(options);
  return options != nullptr;
}

void to_log(void*, const PGresult* notice) {
  const auto* words = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
  if (words != nullptr) log::debug("PostgreSQL: {}", text::one_line(words));
}

Milliseconds remaining(SteadyTime until) {
  auto left = std::chrono::ceil<Milliseconds>(until - steady_now());
  return std::max(left, Milliseconds{0});
}

bool changes_rows(std::string_view tag) {
  return tag.starts_with("INSERT") || tag.starts_with("UPDATE") || tag.starts_with("DELETE");
}

bool changes_nothing(std::string_view tag) {
  constexpr std::array silent{"SELECT", "BEGIN", "COMMIT", "ROLLBACK", "SET", "SHOW", "DEALLOCATE"};
  return std::ranges::any_of(silent, [&](const char* word) { return tag.starts_with(word); });
}

bool makes_columns(std::string_view tag) {
  return tag.starts_with("CREATE TABLE") || tag.starts_with("ALTER TABLE");
}

[[noreturn]] void unsupported(std::string_view shown, std::string_view cause,
                              std::string_view remedy) {
  throw Failure{{ErrorKind::invalid, "database_unsupported",
                 fmt::format("cannot use database '{}': {}", shown, cause), std::string{remedy}}};
}

}  // namespace

std::string PostgresAddress::shown() const {
  // What follows '?' may hold a password, too.
  auto masked = text::without_url_password(url);
  return text::one_line(masked.substr(0, masked.find('?')));
}

PostgresLink::PostgresLink(const PostgresAddress& address) : shown_{address.shown()} {
  connect(address);
  PQsetNoticeReceiver(handle_.get(), &to_log, nullptr);
  if (PQserverVersion(handle_.get()) < version_min) {
    unsupported(shown_, "its server is older than PostgreSQL 13", "upgrade that server");
  }
  PQsetnonblocking(handle_.get(), 1);
  configure();
}

void PostgresLink::connect(const PostgresAddress& address) {
  // What libpq says of an address that it can not read repeats the address, password and all.
  if (!understood(address.url)) {
    unsupported(shown_, "PostgreSQL can not read this address",
                "write it as postgresql://USER@HOST:PORT/NAME, with %XX for odd characters");
  }
  Keywords keywords;
  keywords.set("fallback_application_name",
               fmt::format("gantry on {}, process {}", host_name(), ::getpid()));
  keywords.set("target_session_attrs", "read-write");
  keywords.set("tcp_user_timeout", "30000");
  keywords.set("dbname", address.url);
  if (address.password) keywords.set("password", std::string{address.password->reveal()});
  handle_.reset(keywords.start());
  if (handle_ == nullptr) give_up("there is no memory for a connection");
  auto until = steady_now() + connect_limit;
  auto state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED || PQstatus(handle_.get()) == CONNECTION_BAD) {
      give_up(PQerrorMessage(handle_.get()));
    }
    wait(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until);
    state = PQconnectPoll(handle_.get());
  }
}

void PostgresLink::configure() {
  auto row = run(settings).rows.front();
  if (row.text(0) != "UTF8") {
    unsupported(shown_, fmt::format("its encoding is {}", row.text(0)),
                "make one with 'createdb --encoding UTF8 --template template0'");
  }
  if (row.text(3).empty()) {
    unsupported(shown_, "no schema of its search_path exists", "make the schema");
  }
  if (row.text(1) != "on") {
    log::warn("database '{}' does not survive a power cut: its server runs with fsync = off",
              shown_);
  }
  timeline_ = row.text(2);
}

void PostgresLink::give_up(std::string cause) {
  lost_ = true;
  auto words = text::trimmed(cause);
  // libpq tells no SQLSTATE of a connection that did not come about.
  constexpr std::array refusals{"password", "authentication", "pg_hba.conf", "role"};
  bool denied = std::ranges::any_of(
      refusals, [&](const char* word) { return words.find(word) != words.npos; });
  bool absent = words.find("database \"") != words.npos && words.ends_with("does not exist");
  const auto* state = absent ? "3D000" : denied ? "28000" : "08006";
  throw Failure{postgres_error(state, words.empty() ? "the connection was lost" : words, shown_)};
}

void PostgresLink::refuse(const PGresult* outcome) {
  const auto* state = PQresultErrorField(outcome, PG_DIAG_SQLSTATE);
  const auto* words = PQresultErrorField(outcome, PG_DIAG_MESSAGE_PRIMARY);
  if (state == nullptr || PQstatus(handle_.get()) == CONNECTION_BAD || ends_connection(state)) {
    give_up(words != nullptr ? words : PQerrorMessage(handle_.get()));
  }
  throw Failure{postgres_error(state, words != nullptr ? words : "", shown_)};
}

void PostgresLink::wait(short events, SteadyTime until) {
  for (;;) {
    pollfd socket{.fd = PQsocket(handle_.get()), .events = events, .revents = 0};
    auto left = remaining(until);
    auto ready = left.count() > 0 ? ::poll(&socket, 1, static_cast<int>(left.count())) : 0;
    if (ready > 0) return;
    if (ready == 0) give_up("it does not answer");
    if (errno != EINTR) give_up("its socket can not be waited for");
  }
}

/// Sends what libpq has `accepted`, reading meanwhile so that neither side waits for the other.
void PostgresLink::sent(int accepted, SteadyTime until) {
  if (accepted != 1) give_up(PQerrorMessage(handle_.get()));
  int left = 0;
  while ((left = PQflush(handle_.get())) == 1) {
    wait(POLLIN | POLLOUT, until);
    if (PQconsumeInput(handle_.get()) != 1) give_up(PQerrorMessage(handle_.get()));
  }
  if (left != 0) give_up(PQerrorMessage(handle_.get()));
}

PostgresLink::Answer PostgresLink::collect(SteadyTime until) {
  Answer answer;
  Outcome failed;
  for (;;) {
    while (PQisBusy(handle_.get()) != 0) {
      wait(POLLIN, until);
      if (PQconsumeInput(handle_.get()) != 1) give_up(PQerrorMessage(handle_.get()));
    }
    Outcome outcome{PQgetResult(handle_.get())};
    if (outcome == nullptr) break;
    auto status = PQresultStatus(outcome.get());
    bool good =
        status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
    if (good) {
      take(answer, outcome.get());
    } else if (failed == nullptr) {
      failed = std::move(outcome);
    }
    if (PQstatus(handle_.get()) == CONNECTION_BAD) break;
  }
  if (failed != nullptr) refuse(failed.get());
  if (PQstatus(handle_.get()) == CONNECTION_BAD) give_up(PQerrorMessage(handle_.get()));
  return answer;
}

void PostgresLink::take(Answer& answer, const PGresult* outcome) {
  // Neither function changes what it is given.
  auto* result = const_cast<PGresult*>(outcome);
  answer.tag = PQcmdStatus(result);
  answer.wrote = answer.wrote || !changes_nothing(answer.tag);
  answer.made_columns = answer.made_columns || makes_columns(answer.tag);
  if (changes_rows(answer.tag)) {
    auto count = std::string{PQcmdTuples(result)};
    answer.changed += count.empty() ? 0 : std::stoll(count);
  }
  answer.rows.clear();
  auto columns = PQnfields(outcome);
  for (int row = 0; row < PQntuples(outcome); ++row) {
    std::vector<Value> values;
    values.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
      values.push_back(postgres_value(outcome, row, column));
    }
    answer.rows.emplace_back(std::move(values));
  }
}

PostgresLink::Answer PostgresLink::run(std::string_view sql, std::span<const Value> parameters) {
  CHECK(!lost_);
  auto until = steady_now() + answer_limit;
  if (!parameters.empty()) {
    const auto& name = prepared(sql, parameters, until);
    PostgresParameters sending{parameters};
    sent(PQsendQueryPrepared(handle_.get(), name.c_str(), sending.count(), sending.values.data(),
                             sending.lengths.data(), sending.formats.data(), 0),
         until);
    return collect(until);
  }
  sent(PQsendQuery(handle_.get(), std::string{sql}.c_str()), until);
  auto answer = collect(until);
  if (answer.made_columns) adopt_columns();
  return answer;
}

/// What follows a change of the schema.
void PostgresLink::adopt_columns() {
  auto until = steady_now() + answer_limit;
  forget_prepared();
  sent(PQsendQuery(handle_.get(), std::string{adopt}.c_str()), until);
  collect(until);
}

const std::string& PostgresLink::prepared(std::string_view sql, std::span<const Value> parameters,
                                          SteadyTime until) {
  PostgresParameters sending{parameters};
  std::string key{sql};
  for (auto type : sending.types) key += fmt::format(" {}", type);
  auto known = statements_.find(key);
  if (known != statements_.end()) {
    known->second.used_at = ++uses_;
    return known->second.name;
  }
  if (statements_.size() >= statements_max) {
    auto oldest = std::ranges::min_element(statements_, {},
                                           [](const auto& entry) { return entry.second.used_at; });
    auto gone = oldest->second.name;
    statements_.erase(oldest);
    sent(PQsendQuery(handle_.get(), fmt::format("DEALLOCATE {}", gone).c_str()), until);
    collect(until);
  }
  auto name = fmt::format("g{}", ++names_);
  sent(PQsendPrepare(handle_.get(), name.c_str(), std::string{sql}.c_str(), sending.count(),
                     sending.types.data()),
       until);
  collect(until);
  auto& entry = statements_[std::move(key)];
  entry = {std::move(name), ++uses_};
  return entry.name;
}

void PostgresLink::forget_prepared() {
  if (statements_.empty()) return;
  statements_.clear();
  auto until = steady_now() + answer_limit;
  sent(PQsendQuery(handle_.get(), "DEALLOCATE ALL"), until);
  collect(until);
}

}  // namespace gantry::storage
