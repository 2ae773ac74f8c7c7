// Access: people whom an identity provider vouches for.
#include "access/access.hpp"
#include "access/grant_store.hpp"
#include "access/manage.hpp"
#include "access/user_name.hpp"
#include "base/json.hpp"
#include "base/random.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::access {
namespace {

constexpr std::string_view actor = "oidc";
constexpr std::size_t name_room = user_name_bytes_max - 5;  // for `-1000`

/// A user's name out of whatever the provider calls them.
std::string name_from(std::string_view wanted) {
  std::string name;
  for (char c : text::lowered(wanted)) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    bool mark = c == '.' || c == '_' || c == '@' || c == '-';
    if (letter || (mark && !name.empty())) name += c;
    if (name.size() == name_room) break;
  }
  return parse_user_name(name).value_or("user");
}

}  // namespace

std::string Access::free_name(std::string_view wanted) const {
  auto name = name_from(wanted);
  auto free = name;
  for (int i = 2; account_named(free) != nullptr; ++i) free = fmt::format("{}-{}", name, i);
  return free;
}

async::task<Result<UserId>> Access::adopt(const Vouched& vouched) {
  if (users_.size() >= users_max) {
    co_return fail(ErrorKind::exhausted, "too_many_users",
                   fmt::format("cannot sign in: there are {} users already", users_max),
                   "ask an admin");
  }
  bool has_admin = std::ranges::any_of(
      users_, [](const auto& entry) { return entry.second.user.role == Role::admin; });
  if (!has_admin && vouched.role != Role::admin) {
    co_return fail(ErrorKind::conflict, "setup_needed",
                   "cannot sign in: this server has no admin yet",
                   "ask for it to be set up first, by the link that it prints when it starts");
  }
  UserRow row{.user = {.id = UserId{random::sortable_id(now().time_since_epoch().count())},
                       .name = free_name(vouched.name),
                       .role = vouched.role,
                       .created_at = now()},
              .password_hash = {}};
  link_store::Outside outside{vouched.issuer, vouched.subject};
  auto added = co_await storage::transact(
      database_, [&, at = now()](storage::Transaction& transaction) -> Result<> {
        bool fresh = user_store::add(transaction, row) == user_store::Added::yes &&
                     link_store::add(transaction, outside, row.user.id) == link_store::Added::yes;
        if (fresh) grant_store::replace(transaction, row.user.id, vouched.first_grants);
        if (!fresh) {
          return fail(ErrorKind::conflict, "signed_in_twice",
                      "cannot sign in: you do so elsewhere, this moment", "sign in again");
        }
        auto details =
            json::serialize(json::Object{{"name", row.user.name},
                                         {"role", word(row.user.role)},
                                         {"first_grants", texts_of(vouched.first_grants)},
                                         {"issuer", vouched.issuer},
                                         {"subject", vouched.subject}});
        audit::append(transaction,
                      {std::string{actor}, "user.create", row.user.id.text(), "ok", details}, at);
        return ok;
      });
  if (!added) co_return fail(added.error());
  users_.emplace(row.user.id, row);
  links_.emplace(std::move(outside), row.user.id);
  if (!vouched.first_grants.empty()) grants_.emplace(row.user.id, vouched.first_grants);
  co_return row.user.id;
}

async::task<Result<>> Access::follow_role(User known, Role role) {
  if (known.role == role) co_return ok;
  auto changed = co_await storage::transact(
      database_, [&, at = now()](storage::Transaction& transaction) -> Result<> {
        if (auto kept = keeps_an_admin(transaction, known); role != Role::admin && !kept) {
          return kept;
        }
        user_store::set_role(transaction, known.id, role);
        session_store::remove_all(transaction, known.id, SessionId{});
        auto details =
            json::serialize(json::Object{{"from", word(known.role)}, {"to", word(role)}});
        audit::append(transaction,
                      {std::string{actor}, "user.set_role", known.id.text(), "ok", details}, at);
        return ok;
      });
  // The last admin stays one: a mistake at the provider must not lock everybody out.
  if (!changed && changed.error().code == "last_admin") co_return ok;
  if (!changed) co_return changed;
  if (auto row = users_.find(known.id); row != users_.end()) row->second.user.role = role;
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second.user == known.id; });
  co_return ok;
}

async::task<Result<SignedIn>> Access::sign_in_elsewhere(Vouched vouched, std::string address,
                                                        std::string agent) {
  auto linked = links_.find({vouched.issuer, vouched.subject});
  auto id = linked != links_.end() ? Result<UserId>{linked->second} : co_await adopt(vouched);
  if (!id) co_return fail(id.error());
  auto known = users_.find(*id);
  if (known == users_.end()) co_return no_such_user(*id);
  auto user = known->second.user;
  if (user.standing == Standing::disabled) {
    co_await record_refusal(user.name, "user_disabled", address);
    co_return fail(ErrorKind::unauthenticated, "user_disabled",
                   fmt::format("cannot sign in: user '{}' is disabled", user.name), "ask an admin");
  }
  auto followed = co_await follow_role(user, vouched.role);
  if (!followed) co_return fail(followed.error());
  known = users_.find(*id);
  if (known == users_.end()) co_return no_such_user(*id);
  auto hash = known->second.password_hash;
  co_return co_await begin_session(*id, std::move(hash), std::move(address), std::move(agent));
}

}  // namespace gantry::access
