// Access: what admins do with users, and users with their passwords and tokens.
#include "access/manage.hpp"

#include "access/access.hpp"
#include "access/credential.hpp"
#include "access/grant_store.hpp"
#include "access/user_name.hpp"
#include "base/json.hpp"
#include "base/random.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::access {
namespace {

constexpr std::size_t tokens_per_user_max = 100;
constexpr std::size_t token_name_bytes_max = 64;
constexpr std::size_t hint_length = 8;
constexpr std::size_t grants_per_token_max = 20;

std::unexpected<Error> admins_only() {
  return fail(ErrorKind::denied, "role_too_low", "cannot manage users: that takes an admin",
              "ask one");
}

std::unexpected<Error> token_limited() {
  return fail(ErrorKind::denied, "token_limited",
              "cannot do this with this token: it has limits or grants, which a new token or user "
              "would not",
              "sign in, or use a token without them");
}

/// Counted with the devices, whose keys are digests, and not with the names: those anybody can
/// close, and who is under attack must be able to change the password.
std::string own_password_key(const UserId& id) { return fmt::format("password {}", id.text()); }

/// Users, tokens and the audit log are on no host, so that a grant would not keep them apart; and
/// an admin could give themselves other grants.
Result<> check_granted(const NewToken& wanted) {
  if (wanted.grants.empty()) return ok;
  if (wanted.grants.size() > grants_per_token_max) {
    return fail(
        json::field_error("grants", fmt::format("must not be more than {}", grants_per_token_max)));
  }
  if (wanted.role != Role::viewer && wanted.role != Role::operator_) {
    return fail(json::field_error("role", "must be 'viewer' or 'operator' where there are grants"));
  }
  if (wanted.scopes.has(Scope::access)) {
    return fail(json::field_error("scopes", "must not hold 'access' where there are grants"));
  }
  return ok;
}

/// `ends`: when what `by` asks with does; what it makes must not outlive it.
Result<> check_token(const Identity& by, const NewToken& wanted, WallTime now,
                     std::optional<WallTime> ends) {
  if (by.how == How::local) {
    return fail(ErrorKind::denied, "no_user",
                "cannot make a token: the local token belongs to no user",
                "sign in, or use a token of your own");
  }
  if (by.limits.any()) return token_limited();
  if (wanted.name.empty() || wanted.name.size() > token_name_bytes_max ||
      text::one_line(wanted.name) != wanted.name) {
    return fail(json::field_error("name", "must be one line of 1 to 64 bytes"));
  }
  if (wanted.scopes.empty()) return fail(json::field_error("scopes", "must not be empty"));
  if (wanted.expires_at && *wanted.expires_at <= now) {
    return fail(json::field_error("expires_at", "must be in the future"));
  }
  if (!includes(by.role, wanted.role) || !by.scopes.covers(wanted.scopes)) {
    return fail(
        ErrorKind::denied, "token_too_strong",
        fmt::format("cannot make token '{}': it would allow more than you may", wanted.name),
        "choose a lower role or fewer scopes");
  }
  if (ends && wanted.expires_at > ends) {
    return fail(
        ErrorKind::denied, "token_too_strong",
        fmt::format("cannot make token '{}': it would outlive the one that makes it", wanted.name),
        "let it expire no later, or sign in");
  }
  return check_granted(wanted);
}

json::Object details_of(const Token& token, json::Array grants) {
  json::Object details{
      {"name", token.name}, {"role", word(token.role)}, {"limited", token.limits.any()}};
  if (!grants.empty()) details["grants"] = std::move(grants);
  return details;
}

}  // namespace

std::unexpected<Error> no_such_user(const UserId& id) {
  return fail(ErrorKind::not_found, "no_such_user",
              fmt::format("cannot find user '{}'", text::shortened(text::one_line(id.text()), 64)));
}

Result<> may_hand_out_rights(const Identity& by) {
  if (!by.at_least(Role::admin)) return admins_only();
  if (by.limits.any()) return token_limited();
  if (by.scopes.covers(Scopes::all())) return ok;
  return fail(ErrorKind::denied, "scope_missing",
              "cannot do this with this token: it takes all scopes, because users have all of them",
              "sign in, or make a token that has every scope");
}

Result<> keeps_an_admin(storage::Transaction& transaction, const User& user) {
  if (!user_store::is_admin(transaction, user.id)) return ok;
  if (user_store::other_admins(transaction, user.id) > 0) return ok;
  return fail(ErrorKind::conflict, "last_admin",
              fmt::format("cannot take the last admin '{}' away", user.name),
              "make somebody else an admin first");
}

std::vector<User> Access::users() const {
  std::vector<User> users;
  for (const auto& [id, row] : users_) users.push_back(row.user);
  std::ranges::sort(users, {}, &User::name);
  return users;
}

std::optional<User> Access::user(const UserId& id) const {
  auto found = users_.find(id);
  if (found == users_.end()) return std::nullopt;
  return found->second.user;
}

async::task<Result<User>> Access::create_user(Identity by, NewUser wanted) {
  if (auto may = may_hand_out_rights(by); !may) co_return fail(may.error());
  auto name = parse_user_name(wanted.name);
  if (!name) co_return fail(name.error());
  if (auto fit = password::check_new(wanted.password); !fit) co_return fail(fit.error());
  if (users_.size() >= users_max) {
    co_return fail(ErrorKind::exhausted, "too_many_users",
                   fmt::format("cannot add user '{}': there are {} already", *name, users_max),
                   "remove some first");
  }
  UserRow row{.user = {.id = UserId{random::sortable_id(now().time_since_epoch().count())},
                       .name = std::move(*name),
                       .role = wanted.role,
                       .created_at = now()},
              .password_hash = co_await hash_password(std::move(wanted.password))};
  auto added = co_await storage::transact(
      database_, [&, at = now()](storage::Transaction& transaction) -> Result<> {
        if (user_store::add(transaction, row) == user_store::Added::name_taken) {
          return fail(ErrorKind::conflict, "already_exists",
                      fmt::format("cannot add user '{}': the name is taken", row.user.name),
                      "choose another name");
        }
        auto details =
            json::serialize(json::Object{{"name", row.user.name}, {"role", word(row.user.role)}});
        audit::append(transaction, {by.name, "user.create", row.user.id.text(), "ok", details}, at);
        return ok;
      });
  if (!added) co_return fail(added.error());
  users_.emplace(row.user.id, row);
  co_return row.user;
}

async::task<Result<>> Access::remove_user(Identity by, UserId id) {
  if (!by.at_least(Role::admin)) co_return admins_only();
  auto known = user(id);
  if (!known) co_return no_such_user(id);
  auto removed = co_await storage::transact(
      database_, [&, at = now()](storage::Transaction& transaction) -> Result<> {
        if (auto kept = keeps_an_admin(transaction, *known); !kept) return kept;
        user_store::remove(transaction, id);
        auto details = json::serialize(json::Object{{"name", known->name}});
        audit::append(transaction, {by.name, "user.remove", id.text(), "ok", details}, at);
        return ok;
      });
  if (!removed) co_return removed;
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second.user == id; });
  std::erase_if(tokens_, [&](const auto& entry) { return entry.second.token.user == id; });
  std::erase_if(token_by_digest_,
                [&](const auto& entry) { return !tokens_.contains(entry.second); });
  std::erase_if(token_grants_, [&](const auto& entry) { return !tokens_.contains(entry.first); });
  users_.erase(id);
  grants_.erase(id);
  factors_.erase(id);
  enrolments_.erase(id);
  std::erase_if(links_, [&](const auto& entry) { return entry.second == id; });
  co_return ok;
}

async::task<Result<>> Access::set_role(Identity by, UserId id, Role role) {
  if (auto may = may_hand_out_rights(by); !may) co_return may;
  auto known = user(id);
  if (!known) co_return no_such_user(id);
  auto changed = co_await storage::transact(
      database_, [&, at = now()](storage::Transaction& transaction) -> Result<> {
        if (role != Role::admin) {
          if (auto kept = keeps_an_admin(transaction, *known); !kept) return kept;
        }
        user_store::set_role(transaction, id, role);
        session_store::remove_all(transaction, id, SessionId{});
        auto details =
            json::serialize(json::Object{{"from", word(known->role)}, {"to", word(role)}});
        audit::append(transaction, {by.name, "user.set_role", id.text(), "ok", details}, at);
        return ok;
      });
  if (!changed) co_return changed;
  if (auto row = users_.find(id); row != users_.end()) row->second.user.role = role;
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second.user == id; });
  co_return ok;
}

async::task<Result<>> Access::set_standing(Identity by, UserId id, Standing standing) {
  if (auto may = may_hand_out_rights(by); !may) co_return may;
  auto known = user(id);
  if (!known) co_return no_such_user(id);
  if (known->standing == standing) co_return ok;
  const auto* action = standing == Standing::disabled ? "user.disable" : "user.enable";
  auto changed = co_await storage::transact(
      database_, [&, at = now()](storage::Transaction& transaction) -> Result<> {
        if (standing == Standing::disabled) {
          if (auto kept = keeps_an_admin(transaction, *known); !kept) return kept;
        }
        user_store::set_standing(transaction, id, standing);
        session_store::remove_all(transaction, id, SessionId{});
        auto details = json::serialize(json::Object{{"name", known->name}});
        audit::append(transaction, {by.name, action, id.text(), "ok", details}, at);
        return ok;
      });
  if (!changed) co_return changed;
  if (auto row = users_.find(id); row != users_.end()) row->second.user.standing = standing;
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second.user == id; });
  co_return ok;
}

async::task<Result<>> Access::change_password(Identity by, UserId id, Secret current, Secret next) {
  bool own = by.user == id;
  if (!own) {
    if (auto may = may_hand_out_rights(by); !may) co_return may;
  }
  if (!users_.contains(id)) co_return no_such_user(id);
  if (auto fit = password::check_new(next); !fit) co_return fail(fit.error());
  if (own) {
    auto right = co_await own_password(id, std::move(current));
    if (!right) co_return right;
  }
  auto hash = co_await hash_password(std::move(next));
  SessionId kept{own && by.how == How::session ? by.credential : std::string{}};
  co_await storage::transact(database_, [&, at = now()](storage::Transaction& transaction) {
    user_store::set_password(transaction, id, hash);
    session_store::remove_all(transaction, id, kept);
    audit::append(transaction, {by.name, "user.change_password", id.text(), "ok", {}}, at);
  });
  if (auto row = users_.find(id); row != users_.end()) row->second.password_hash = hash;
  std::erase_if(sessions_,
                [&](const auto& entry) { return entry.second.user == id && entry.first != kept; });
  co_return ok;
}

Seconds Access::password_retry_after(const UserId& id) const {
  auto known = user(id);
  return known ? by_device_.wait(own_password_key(id), now()) : Seconds{0};
}

async::task<Result<>> Access::own_password(UserId user, Secret password) {
  if (auto wait = password_retry_after(user); wait > Seconds{0}) {
    co_return fail(ErrorKind::exhausted, "too_many_attempts",
                   "cannot take your password: too many attempts have failed",
                   fmt::format("try again in {} s", wait.count()));
  }
  auto known = users_.find(user);
  if (known == users_.end()) co_return no_such_user(user);
  auto key = own_password_key(user);
  by_device_.begin(key, now());
  auto match = co_await check_password(known->second.password_hash, std::move(password));
  if (match == password::Match::no) {
    co_return fail(ErrorKind::denied, "bad_credentials",
                   "cannot take your password: the current one is another", "check it");
  }
  by_device_.withdraw(key);
  co_return ok;
}

std::vector<Token> Access::tokens(const UserId& user) const {
  std::vector<Token> tokens;
  for (const auto& [id, row] : tokens_) {
    if (row.token.user == user) tokens.push_back(row.token);
  }
  std::ranges::sort(tokens, std::greater{}, &Token::id);
  return tokens;
}

async::task<Result<MadeToken>> Access::create_token(Identity by, NewToken wanted) {
  std::optional<WallTime> ends;
  if (auto maker = tokens_.find(TokenId{by.credential}); maker != tokens_.end()) {
    if (token_grants_.contains(maker->first)) co_return token_limited();
    ends = maker->second.token.expires_at;
  }
  if (!wanted.expires_at) wanted.expires_at = ends;
  if (auto fits = check_token(by, wanted, now(), ends); !fits) co_return fail(fits.error());
  if (tokens(by.user).size() >= tokens_per_user_max) {
    co_return fail(ErrorKind::exhausted, "too_many_tokens",
                   fmt::format("cannot make token '{}': you have {} already", wanted.name,
                               tokens_per_user_max),
                   "revoke some first");
  }
  auto grant_texts = texts_of(wanted.grants);
  auto grants = with_host_ids(std::move(wanted.grants), "grants", wanted.role);
  if (!grants) co_return fail(std::move(grants.error()));
  auto text = credential::make(credential::token_prefix);
  auto hint_bytes = credential::token_prefix.size() + hint_length;
  TokenRow row{.token = {.id = TokenId{random::sortable_id(now().time_since_epoch().count())},
                         .user = by.user,
                         .name = std::move(wanted.name),
                         .hint = std::string{text.reveal().substr(0, hint_bytes)},
                         .role = wanted.role,
                         .scopes = wanted.scopes,
                         .created_at = now(),
                         .expires_at = wanted.expires_at,
                         .limits = std::move(wanted.limits)},
               .digest = credential::digest(text.reveal())};
  auto added =
      co_await storage::transact(database_, [&](storage::Transaction& transaction) -> Result<> {
        if (token_store::add(transaction, row) == token_store::Added::no_such_user) {
          return no_such_user(by.user);
        }
        grant_store::add(transaction, row.token.id, *grants);
        auto details = json::serialize(details_of(row.token, grant_texts));
        audit::append(transaction, {by.name, "token.create", row.token.id.text(), "ok", details},
                      row.token.created_at);
        return ok;
      });
  if (!added) co_return fail(added.error());
  if (!users_.contains(by.user)) co_return no_such_user(by.user);
  token_by_digest_.emplace(row.digest, row.token.id);
  if (!grants->empty()) token_grants_.emplace(row.token.id, std::move(*grants));
  tokens_.emplace(row.token.id, row);
  co_return MadeToken{.text = std::move(text), .token = row.token};
}

async::task<Result<>> Access::revoke_token(Identity by, TokenId id) {
  auto found = tokens_.find(id);
  bool seen =
      found != tokens_.end() && (found->second.token.user == by.user || by.at_least(Role::admin));
  if (!seen) {
    co_return fail(
        ErrorKind::not_found, "no_such_token",
        fmt::format("cannot find token '{}'", text::shortened(text::one_line(id.text()), 64)));
  }
  auto name = found->second.token.name;
  auto digest = found->second.digest;
  co_await storage::transact(database_, [&, at = now()](storage::Transaction& transaction) {
    token_store::remove(transaction, id);
    auto details = json::serialize(json::Object{{"name", name}});
    audit::append(transaction, {by.name, "token.revoke", id.text(), "ok", details}, at);
  });
  token_by_digest_.erase(digest);
  tokens_.erase(id);
  token_grants_.erase(id);
  co_return ok;
}

}  // namespace gantry::access
