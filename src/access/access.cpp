#include "access/access.hpp"

#include "access/credential.hpp"
#include "access/grant_store.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::access {
namespace {

// A hash keeps a processor busy and holds 64 MiB: two at once, and a short queue.
constexpr std::size_t hashing_threads = 2;
constexpr std::size_t hashing_queue_max = 32;
constexpr Milliseconds use_written_every = std::chrono::minutes{1};

std::unexpected<Error> bad_session() {
  return fail(ErrorKind::unauthenticated, "bad_session",
              "cannot use this session: it has ended or never was", "sign in again");
}

std::unexpected<Error> bad_token() {
  return fail(ErrorKind::unauthenticated, "bad_token",
              "cannot use this token: it is unknown, expired or revoked",
              "make a new one on the Tokens page");
}

}  // namespace

Access::Access(async::Executor executor, storage::Database& database, Settings settings)
    : database_{database},
      settings_{std::move(settings)},
      local_token_{credential::make(credential::local_prefix)},
      hashing_{hashing_threads, hashing_queue_max},
      writes_{std::move(executor)} {}

Access::~Access() = default;

async::task<void> migrate(storage::Database& database) {
  co_await user_store::migrate(database);
  co_await session_store::migrate(database);
  co_await token_store::migrate(database);
  co_await grant_store::migrate(database);
  co_await totp_store::migrate(database);
  co_await link_store::migrate(database);
  co_await audit::migrate(database);
}

async::task<void> Access::start() {
  co_await migrate(database_);
  struct Loaded {
    std::vector<UserRow> users;
    std::vector<SessionRow> sessions;
    std::vector<TokenRow> tokens;
    std::map<UserId, std::vector<Grant>> grants;
    std::map<TokenId, std::vector<Grant>> token_grants;
    std::map<UserId, SecondFactor> factors;
    std::map<link_store::Outside, UserId> links;
  };
  auto loaded =
      co_await storage::transact(database_, [at = now()](storage::Transaction& transaction) {
        session_store::prune(transaction, at);
        return Loaded{.users = user_store::load(transaction),
                      .sessions = session_store::load(transaction),
                      .tokens = token_store::load(transaction),
                      .grants = grant_store::load(transaction),
                      .token_grants = grant_store::load_of_tokens(transaction),
                      .factors = totp_store::load(transaction),
                      .links = link_store::load(transaction)};
      });
  for (auto& row : loaded.users) users_.emplace(row.user.id, std::move(row));
  for (auto& row : loaded.sessions) sessions_.emplace(row.id, std::move(row));
  for (auto& row : loaded.tokens) {
    token_by_digest_.emplace(row.digest, row.token.id);
    tokens_.emplace(row.token.id, std::move(row));
  }
  grants_ = std::move(loaded.grants);
  token_grants_ = std::move(loaded.token_grants);
  factors_ = std::move(loaded.factors);
  links_ = std::move(loaded.links);
}

async::task<void> Access::close() { co_await writes_.close(); }

bool Access::alive(const SessionRow& session) const {
  auto at = now();
  return at < session.last_used_at + session_idle_max && at < session.created_at + session_age_max;
}

bool Access::active(const UserId& user) const {
  auto found = users_.find(user);
  return found != users_.end() && found->second.user.standing == Standing::active;
}

Identity Access::identity_of(const SessionRow& session) const {
  const auto& user = users_.find(session.user)->second.user;
  return {.user = user.id,
          .name = user.name,
          .role = user.role,
          .scopes = Scopes::all(),
          .how = How::session,
          .credential = session.id.text()};
}

Identity Access::identity_of(const TokenRow& row) const {
  const auto& user = users_.find(row.token.user)->second.user;
  return {.user = user.id,
          .name = user.name,
          .role = std::min(row.token.role, user.role),  // by_token: one includes the other
          .scopes = row.token.scopes,
          .how = How::token,
          .credential = row.token.id.text(),
          .limits = row.token.limits};
}

Result<Identity> Access::by_session(std::string_view cookie) {
  if (cookie.size() != credential::length) return bad_session();
  auto digest = credential::digest(cookie);
  auto found = sessions_.find(session_id(digest));
  if (found == sessions_.end()) return bad_session();
  auto& session = found->second;
  if (!credential::same(session.digest, digest) || !alive(session)) return bad_session();
  if (!active(session.user)) return bad_session();
  if (auto at = now(); at - session.last_used_at >= use_written_every) {
    session.last_used_at = at;
    writes_.spawn("note a session's use", write_session_use(session.id, at));
  }
  return identity_of(session);
}

Result<Identity> Access::by_token(std::string_view bearer) {
  if (bearer.starts_with(credential::local_prefix)) {
    if (!local_token_.matches(bearer)) return bad_token();
    return Identity{.user = UserId{"local"},
                    .name = "local",
                    .role = Role::admin,
                    .scopes = Scopes::all(),
                    .how = How::local,
                    .credential = {}};
  }
  if (bearer.size() != credential::token_prefix.size() + credential::length) return bad_token();
  auto digest = credential::digest(bearer);
  auto known = token_by_digest_.find(digest);
  if (known == token_by_digest_.end()) return bad_token();
  auto& row = tokens_.find(known->second)->second;
  auto at = now();
  if (!credential::same(row.digest, digest)) return bad_token();
  if (row.token.expires_at && at >= *row.token.expires_at) return bad_token();
  if (!active(row.token.user)) {
    return fail(ErrorKind::unauthenticated, "user_disabled",
                "cannot use this token: its user is disabled", "ask an admin");
  }
  if (auto has = users_.find(row.token.user)->second.user.role;
      !includes(has, row.token.role) && !includes(row.token.role, has)) {
    return fail(ErrorKind::unauthenticated, "token_void",
                fmt::format("cannot use this token: its role '{}' has nothing in common with its "
                            "user's, '{}'",
                            word(row.token.role), word(has)),
                "make a new one");
  }
  if (!row.token.last_used_at || at - *row.token.last_used_at >= use_written_every) {
    row.token.last_used_at = at;
    writes_.spawn("note a token's use", write_token_use(row.token.id, at));
  }
  return identity_of(row);
}

async::task<void> Access::write_session_use(SessionId id, WallTime at) {
  co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    session_store::set_last_used(transaction, id, at);
  });
}

async::task<void> Access::write_token_use(TokenId id, WallTime at) {
  co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    token_store::set_last_used(transaction, id, at);
  });
}

bool Access::still_valid(const Identity& identity) const {
  switch (identity.how) {
    case How::local:
      return true;
    case How::session: {
      auto found = sessions_.find(SessionId{identity.credential});
      return found != sessions_.end() && alive(found->second) && active(found->second.user) &&
             identity_of(found->second).role == identity.role;
    }
    case How::token: {
      auto found = tokens_.find(TokenId{identity.credential});
      if (found == tokens_.end()) return false;
      const auto& token = found->second.token;
      if (token.expires_at && now() >= *token.expires_at) return false;
      if (!active(token.user)) return false;
      return identity_of(found->second).role == identity.role;
    }
  }
  return false;
}

const UserRow* Access::account_named(std::string_view name) const {
  auto lowered = text::lowered(name);
  for (const auto& [id, row] : users_) {
    if (row.user.name == lowered) return &row;
  }
  return nullptr;
}

std::vector<SessionId> Access::sessions_of(const UserId& user) const {
  std::vector<const SessionRow*> rows;
  for (const auto& [id, row] : sessions_) {
    if (row.user == user) rows.push_back(&row);
  }
  std::ranges::sort(rows, {}, &SessionRow::last_used_at);
  std::vector<SessionId> ids;
  for (const auto* row : rows) ids.push_back(row->id);
  return ids;
}

async::task<std::string> Access::hash_password(Secret password) {
  co_return co_await hashing_.run(
      [&] { return password::hash(password, settings_.password_cost); });
}

async::task<void> Access::record(AuditEntry entry) {
  co_await storage::transact(database_, [&, at = now()](storage::Transaction& transaction) {
    audit::append(transaction, entry, at);
  });
}

async::task<Result<AuditPage>> Access::audit_page(int limit, std::string cursor,
                                                  AuditFilter filter) {
  co_return co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    return audit::list(transaction, limit, cursor, filter);
  });
}

async::task<std::vector<AuditRecord>> Access::audit_after(std::int64_t sequence) {
  co_return co_await storage::transact(database_, [&](storage::Transaction& transaction) {
    return audit::after(transaction, sequence);
  });
}

async::task<AuditCheck> Access::verify_audit() { co_return co_await audit::verify(database_); }

}  // namespace gantry::access
