// Access: who is restricted to which hosts.
#include "access/access.hpp"
#include "access/grant_store.hpp"
#include "access/manage.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::access {
namespace {

constexpr std::size_t grants_per_user_max = 100;

/// Of the items of `array`.
struct Item {
  std::string_view array;
  std::size_t index;

  std::string field(std::string_view name) const {
    return fmt::format("{}[{}].{}", array, index, name);
  }
};

Result<> check_grant(const Grant& grant, const Item& item, Role role_max) {
  if (grant.group.empty() == grant.host.empty()) {
    return fail(json::field_error(item.field("host"), "or 'group' is needed, and not both"));
  }
  if (grant.role != Role::viewer && grant.role != Role::operator_) {
    return fail(json::field_error(item.field("role"), "must be 'viewer' or 'operator'"));
  }
  if (!includes(role_max, grant.role)) {
    return fail(json::field_error(
        item.field("role"),
        fmt::format("must not be above '{}', which is the role of who gets it", word(role_max))));
  }
  return ok;
}

}  // namespace

json::Array texts_of(const std::vector<Grant>& grants) {
  json::Array items;
  for (const auto& grant : grants) {
    auto where = grant.host.empty() ? "group " + grant.group : "host " + grant.host;
    if (!grant.project.empty()) where += " project " + grant.project;
    auto text = fmt::format("{}: {}", where, word(grant.role));
    for (auto extra : grant.extras) text += fmt::format(" +{}", word(extra));
    items.emplace_back(std::move(text));
  }
  return items;
}

Rights Access::rights(const Identity& identity) const {
  if (identity.how == How::local) return Rights::everywhere(identity.role);
  auto known = user(identity.user);
  if (!known) return {};
  TokenId token{identity.credential};
  // One that has just been revoked must not fall back on all that its user may.
  if (identity.how == How::token && !tokens_.contains(token)) return {};
  auto of_token = identity.how == How::token ? grants(token) : std::vector<Grant>{};
  bool admins = known->role == Role::admin;
  if (admins && !of_token.empty()) return Rights::granted(identity.role, std::move(of_token));
  auto rights = admins || !grants_.contains(identity.user)
                    ? Rights::everywhere(identity.role)
                    : Rights::granted(identity.role, grants(identity.user));
  return of_token.empty() ? rights : rights.narrowed(std::move(of_token));
}

std::vector<Grant> Access::with_host_names(std::vector<Grant> grants) const {
  if (!host_names_.name_of) return grants;
  for (auto& grant : grants) {
    if (!grant.host.empty()) grant.host = host_names_.name_of(grant.host).value_or("");
  }
  return grants;
}

Result<std::vector<Grant>> Access::with_host_ids(std::vector<Grant> grants, std::string_view array,
                                                 Role role_max) const {
  for (std::size_t i = 0; i < grants.size(); ++i) {
    Item item{array, i};
    if (auto fits = check_grant(grants[i], item, role_max); !fits) return fail(fits.error());
    if (grants[i].host.empty() || !host_names_.id_of) continue;
    auto host = host_names_.id_of(grants[i].host);
    if (!host) return fail(json::field_error(item.field("host"), "must be the name of a host"));
    grants[i].host = std::move(*host);
  }
  return grants;
}

std::vector<Grant> Access::grants(const UserId& id) const {
  auto found = grants_.find(id);
  return found == grants_.end() ? std::vector<Grant>{} : with_host_names(found->second);
}

std::vector<Grant> Access::grants(const TokenId& id) const {
  auto found = token_grants_.find(id);
  return found == token_grants_.end() ? std::vector<Grant>{} : with_host_names(found->second);
}

async::task<Result<>> Access::set_grants(Identity by, UserId id, std::vector<Grant> grants) {
  if (auto may = may_hand_out_rights(by); !may) co_return may;
  auto known = user(id);
  if (!known) co_return no_such_user(id);
  if (grants.size() > grants_per_user_max) {
    co_return fail(
        json::field_error("items", fmt::format("must not be more than {}", grants_per_user_max)));
  }
  auto details = json::serialize(json::Object{{"name", known->name}, {"grants", texts_of(grants)}});
  auto resolved = with_host_ids(std::move(grants), "items", known->role);
  if (!resolved) co_return fail(std::move(resolved.error()));
  auto replaced = co_await storage::transact(
      database_, [&, at = now()](storage::Transaction& transaction) -> Result<> {
        if (grant_store::replace(transaction, id, *resolved) != grant_store::Replaced::yes) {
          return no_such_user(id);
        }
        audit::append(transaction, {by.name, "user.set_grants", id.text(), "ok", details}, at);
        return ok;
      });
  if (!replaced) co_return replaced;
  if (resolved->empty()) {
    grants_.erase(id);
  } else {
    grants_.insert_or_assign(id, std::move(*resolved));
  }
  co_return ok;
}

}  // namespace gantry::access
