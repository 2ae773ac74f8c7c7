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

std::string field(std::size_t index, std::string_view name) {
  return fmt::format("items[{}].{}", index, name);
}

Result<> check_grant(const Grant& grant, const User& user, std::size_t index) {
  if (grant.group.empty() == grant.host.empty()) {
    return fail(json::field_error(field(index, "host"), "or 'group' is needed, and not both"));
  }
  if (grant.role != Role::viewer && grant.role != Role::operator_) {
    return fail(json::field_error(field(index, "role"), "must be 'viewer' or 'operator'"));
  }
  if (!includes(user.role, grant.role)) {
    return fail(json::field_error(
        field(index, "role"),
        fmt::format("must not be above '{}', which is the user's role", word(user.role))));
  }
  return ok;
}

json::Object details_of(const User& user, const std::vector<Grant>& grants) {
  json::Array items;
  for (const auto& grant : grants) {
    auto where = grant.host.empty() ? "group " + grant.group : "host " + grant.host;
    if (!grant.project.empty()) where += " project " + grant.project;
    items.emplace_back(fmt::format("{}: {}", where, word(grant.role)));
  }
  return {{"name", user.name}, {"grants", std::move(items)}};
}

}  // namespace

Rights Access::rights(const Identity& identity) const {
  if (identity.how == How::local) return Rights::everywhere(identity.role);
  auto known = user(identity.user);
  if (!known) return {};
  auto granted = grants_.find(identity.user);
  if (known->role == Role::admin || granted == grants_.end()) {
    return Rights::everywhere(identity.role);
  }
  return Rights::granted(identity.role, grants(identity.user));
}

std::vector<Grant> Access::grants(const UserId& id) const {
  auto found = grants_.find(id);
  if (found == grants_.end()) return {};
  auto grants = found->second;
  if (!host_names_.name_of) return grants;
  for (auto& grant : grants) {
    if (!grant.host.empty()) grant.host = host_names_.name_of(grant.host).value_or("");
  }
  return grants;
}

async::task<Result<>> Access::set_grants(Identity by, UserId id, std::vector<Grant> grants) {
  if (auto may = may_hand_out_rights(by); !may) co_return may;
  auto known = user(id);
  if (!known) co_return no_such_user(id);
  if (grants.size() > grants_per_user_max) {
    co_return fail(
        json::field_error("items", fmt::format("must not be more than {}", grants_per_user_max)));
  }
  auto details = json::serialize(details_of(*known, grants));
  for (std::size_t i = 0; i < grants.size(); ++i) {
    if (auto fits = check_grant(grants[i], *known, i); !fits) co_return fits;
    if (grants[i].host.empty() || !host_names_.id_of) continue;
    auto host = host_names_.id_of(grants[i].host);
    if (!host) co_return fail(json::field_error(field(i, "host"), "must be the name of a host"));
    grants[i].host = std::move(*host);
  }
  auto replaced = co_await storage::transact(
      database_, [&, at = now()](storage::Transaction& transaction) -> Result<> {
        if (grant_store::replace(transaction, id, grants) != grant_store::Replaced::yes) {
          return no_such_user(id);
        }
        audit::append(transaction, {by.name, "user.set_grants", id.text(), "ok", details}, at);
        return ok;
      });
  if (!replaced) co_return replaced;
  if (grants.empty()) {
    grants_.erase(id);
  } else {
    grants_.insert_or_assign(id, std::move(grants));
  }
  co_return ok;
}

}  // namespace gantry::access
