#include "access/access.hpp"
#include "access/rights.hpp"
#include "api/handlers.hpp"

#include <fmt/format.h>

// Which hosts a user is restricted to.
namespace gantry::api {
namespace {

constexpr std::size_t grants_max = 100;
constexpr json::TextBounds name_bounds{1, 63};

json::Value text_or_null(const std::string& text) {
  return text.empty() ? json::Value(nullptr) : json::Value(text);
}

json::Object grant_json(const access::Grant& grant) {
  json::Array rights;
  for (auto extra : grant.extras) rights.emplace_back(access::word(extra));
  return {{"group", text_or_null(grant.group)},
          {"host", text_or_null(grant.host)},
          {"project", text_or_null(grant.project)},
          {"role", access::word(grant.role)},
          {"rights", std::move(rights)}};
}

Reply grants_reply(const access::Access& access, const access::UserId& user) {
  json::Array items;
  for (const auto& grant : access.grants(user)) items.push_back(grant_json(grant));
  return json_reply(200, json::Object{{"items", std::move(items)}});
}

Result<access::Grant> read_grant(const json::Value& value, std::string where) {
  json::Fields fields{value, std::move(where), json::Keys::strict};
  access::Grant grant;
  grant.group = fields.text("group", name_bounds).value_or("");
  grant.host = fields.text("host", name_bounds).value_or("");
  if (grant.group.empty() == grant.host.empty()) {
    fields.refuse("host", "or 'group' is needed, and not both");
  }
  grant.project = fields.text("project", {1, 128}).value_or("");
  auto role = access::parse_role(fields.required_text("role"));
  if (!role) fields.refuse("role", "must be 'viewer' or 'operator'");
  grant.role = role.value_or(access::Role::viewer);
  for (const auto& word : fields.texts("rights", access::all_extras.size())) {
    auto extra = access::parse_extra(word);
    if (extra) {
      grant.extras.push_back(*extra);
    } else {
      fields.refuse("rights", "must hold some of 'unmask', 'recordings'");
    }
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return grant;
}

Result<std::vector<access::Grant>> read_grants(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  std::vector<access::Grant> grants;
  const auto* items = fields.array("items", grants_max);
  if (items == nullptr) fields.refuse("items", "is missing");
  for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
    auto grant = read_grant((*items)[i], fmt::format("items[{}]", i));
    if (!grant) fields.adopt(grant.error());
    if (grant) grants.push_back(std::move(*grant));
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return grants;
}

}  // namespace

Answer list_grants(Call& call) {
  auto& access = call.services.access;
  access::UserId id{call.id};
  if (!access.user(id)) {
    co_return fail(ErrorKind::not_found, "no_such_user",
                   fmt::format("cannot find user '{}'", call.id));
  }
  co_return grants_reply(access, id);
}

Answer set_grants(Call& call) {
  auto grants = co_await read_json(call, &read_grants);
  if (!grants) co_return fail(std::move(grants.error()));
  auto& access = call.services.access;
  access::UserId id{call.id};
  auto set = co_await access.set_grants(*call.identity, id, std::move(*grants));
  if (!set) co_return fail(std::move(set.error()));
  co_return grants_reply(access, id);
}

}  // namespace gantry::api
