#include "access/access.hpp"
#include "api/accounts.hpp"
#include "api/grant_json.hpp"
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "api/limits.hpp"
#include "api/read.hpp"
#include "fleet/fleet.hpp"

#include <algorithm>

#include <fmt/format.h>

// The API tokens of who asks.
namespace gantry::api {
namespace {

// As the settings of the same names.
constexpr json::IntegerBounds executions_bounds{1, 256};
constexpr json::IntegerBounds queue_bounds{1, 100'000};
constexpr std::size_t grants_max = 20;

json::Value number_or_null(const std::optional<std::int64_t>& number) {
  return number ? json::Value(*number) : json::Value(nullptr);
}

json::Value policy_json(const access::TokenLimits& limits) {
  if (limits.policy.empty()) return nullptr;
  auto policy = json::parse(limits.policy, json::Keys::tolerant);
  return policy ? std::move(*policy) : json::Value(nullptr);
}

/// Null where the token may see all that its user may. What the user does not see any more is named
/// no more than a host that is gone.
json::Value grants_json(const Call& call, const access::TokenId& token) {
  auto grants = call.services.access.grants(token);
  if (grants.empty()) return nullptr;
  auto rights = call.rights();
  json::Array items;
  for (auto& grant : grants) {
    auto host = call.services.fleet.find(grant.host);
    if (host && !rights.sees_host(host->name(), host->config().groups)) grant.host.clear();
    items.push_back(grant_json(grant));
  }
  return items;
}

json::Object token_json(const Call& call, const access::Token& token) {
  json::Array scopes;
  for (const auto& scope : token.scopes.words()) scopes.emplace_back(scope);
  return {{"id", token.id.text()},
          {"name", token.name},
          {"hint", token.hint},
          {"role", access::word(token.role)},
          {"scopes", std::move(scopes)},
          {"created_at", rfc3339(token.created_at)},
          {"expires_at", time_or_null(token.expires_at)},
          {"last_used_at", time_or_null(token.last_used_at)},
          {"limits", policy_json(token.limits)},
          {"executions_max", number_or_null(token.limits.executions_max)},
          {"queue_max", number_or_null(token.limits.queue_max)},
          {"grants", grants_json(call, token.id)}};
}

std::unexpected<Error> refused_grant(std::size_t index, std::string_view field,
                                     std::string_view reason) {
  return fail(json::field_error(fmt::format("grants[{}].{}", index, field), reason));
}

/// Which groups a host is in is told only to who sees all of it; by a grant that counts or does
/// not, anybody could find out.
bool may_name_group(const Call& call, const access::Grant& wanted) {
  auto own = call.services.access.grants(call.identity->user);
  return wanted.group == access::every_group || std::ranges::any_of(own, [&](const auto& grant) {
           bool is_everything = grant.group == access::every_group && grant.project.empty();
           return is_everything || grant.group == wanted.group;
         });
}

/// What the grant is about is something that who makes it may see, and do as much to; what they do
/// not see is refused as what there is not.
Result<> check_grant_of(const Call& call, const access::Rights& rights, const access::Grant& grant,
                        std::size_t index) {
  auto reach = [&](const fleet::Host& host) {
    return rights.role_on(host.name(), host.config().groups, grant.project);
  };
  std::optional<access::Role> role;
  if (grant.group.empty()) {
    auto host = call.services.fleet.find(grant.host);
    if (!host || !rights.sees_host(host->name(), host->config().groups)) {
      return refused_grant(index, "host", "must be the name of a host");
    }
    role = reach(*host);
    if (!role) return refused_grant(index, "project", "must be one that you may see there");
  } else {
    for (const auto& host : call.services.fleet.hosts()) {
      const auto& groups = host->config().groups;
      bool meant = grant.group == access::every_group ||
                   std::ranges::find(groups, grant.group) != groups.end();
      if (meant) role = std::max(role, reach(*host));
    }
    if (!role || !may_name_group(call, grant)) {
      return refused_grant(index, "group",
                           "must be one that your own grants name, of hosts that you see");
    }
  }
  if (access::includes(*role, grant.role)) return ok;
  return refused_grant(
      index, "role",
      fmt::format("must not be above '{}', which you have there", access::word(*role)));
}

Result<> check_grants(const Call& call, const std::vector<access::Grant>& grants) {
  auto rights = call.rights();
  // Who sees everything may name a group that will be; an unknown host is refused with the rest.
  for (std::size_t i = 0; rights.restricted() && i < grants.size(); ++i) {
    if (auto fits = check_grant_of(call, rights, grants[i], i); !fits) return fits;
  }
  return ok;
}

/// Judged by what its role may have: a violation names the field and both bounds.
Result<access::NewToken> read_token(const Call& call, const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  access::NewToken token;
  token.name = fields.required_text("name", {1, 64});
  token.role = read_role(fields);
  auto scopes = access::Scopes::parse(fields.texts("scopes", access::all_scopes.size()));
  if (!scopes || scopes->empty()) {
    fields.refuse("scopes", "must hold some of 'executions', 'containers', 'system', 'access'");
  }
  token.scopes = scopes.value_or(access::Scopes{});
  if (auto expires_at = fields.text("expires_at")) {
    token.expires_at = parse_rfc3339(*expires_at);
    if (!token.expires_at) {
      fields.refuse("expires_at", "must be a time such as '2027-01-31T12:00:00Z'");
    }
  }
  token.limits.executions_max = fields.integer("executions_max", executions_bounds);
  token.limits.queue_max = fields.integer("queue_max", queue_bounds);
  token.grants = read_grants(fields, "grants", grants_max);
  if (fields.member("grants") != nullptr && token.grants.empty()) {
    fields.refuse("grants", "must hold at least one; leave it out to restrict nothing");
  }
  if (const auto* limits = fields.member("limits")) {
    auto narrowed = bounds_of(call.services, token.role).narrowed(*limits, "limits");
    if (!narrowed) fields.adopt(narrowed.error());
    bool empty = limits->is_object() && limits->get_object().empty();
    if (!empty) token.limits.policy = json::serialize(*limits);
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return token;
}

}  // namespace

Answer list_tokens(Call& call) {
  json::Array items;
  for (const auto& token : call.services.access.tokens(call.identity->user)) {
    items.push_back(token_json(call, token));
  }
  co_return json_reply(200, json::Object{{"items", std::move(items)}, {"next", nullptr}});
}

Answer create_token(Call& call) {
  auto wanted = co_await read_json(
      call, [&call](const json::Value& value) { return read_token(call, value); });
  if (!wanted) co_return fail(std::move(wanted.error()));
  if (auto seen = check_grants(call, wanted->grants); !seen) co_return fail(seen.error());
  auto made = co_await call.services.access.create_token(*call.identity, std::move(*wanted));
  if (!made) co_return fail(std::move(made.error()));
  co_return json_reply(
      201, json::Object{{"token", made->text.reveal()}, {"item", token_json(call, made->token)}});
}

Answer revoke_token(Call& call) {
  auto revoked =
      co_await call.services.access.revoke_token(*call.identity, access::TokenId{call.id});
  if (!revoked) co_return fail(std::move(revoked.error()));
  co_return no_content();
}

}  // namespace gantry::api
