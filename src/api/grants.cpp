#include "access/access.hpp"
#include "access/rights.hpp"
#include "api/grant_json.hpp"
#include "api/handlers.hpp"

#include <fmt/format.h>

// Which hosts a user is restricted to.
namespace gantry::api {
namespace {

constexpr std::size_t grants_max = 100;

Reply grants_reply(const access::Access& access, const access::UserId& user) {
  json::Array items;
  for (const auto& grant : access.grants(user)) items.push_back(grant_json(grant));
  return json_reply(200, json::Object{{"items", std::move(items)}});
}

Result<std::vector<access::Grant>> read_request(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  auto grants = read_grants(fields, "items", grants_max);
  if (fields.member("items") == nullptr) fields.refuse("items", "is missing");
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
  auto grants = co_await read_json(call, &read_request);
  if (!grants) co_return fail(std::move(grants.error()));
  auto& access = call.services.access;
  access::UserId id{call.id};
  auto set = co_await access.set_grants(*call.identity, id, std::move(*grants));
  if (!set) co_return fail(std::move(set.error()));
  co_return grants_reply(access, id);
}

}  // namespace gantry::api
