#include "access/access.hpp"
#include "api/accounts.hpp"
#include "api/handlers.hpp"

// Everybody who may sign in.
namespace gantry::api {
namespace {

json::Object item_json(const access::User& user) {
  auto item = user_json(user.id, user.name, user.role);
  item["created_at"] = rfc3339(user.created_at);
  return item;
}

Result<access::NewUser> read_user(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  access::NewUser user;
  user.name = fields.required_text("name", {1, 64});
  user.password = Secret{fields.required_text("password", {1, access::password::bytes_max})};
  user.role = read_role(fields);
  if (auto read = fields.finish(); !read) return fail(read.error());
  return user;
}

}  // namespace

Answer list_users(Call& call) {
  json::Array items;
  for (const auto& user : call.services.access.users()) items.push_back(item_json(user));
  co_return json_reply(200, json::Object{{"items", std::move(items)}, {"next", nullptr}});
}

Answer create_user(Call& call) {
  auto wanted = co_await read_json(call, &read_user);
  if (!wanted) co_return fail(std::move(wanted.error()));
  auto created = co_await call.services.access.create_user(*call.identity, std::move(*wanted));
  if (!created) co_return fail(std::move(created.error()));
  co_return json_reply(201, item_json(*created));
}

Answer remove_user(Call& call) {
  auto removed = co_await call.services.access.remove_user(*call.identity, access::UserId{call.id});
  if (!removed) co_return fail(std::move(removed.error()));
  co_return no_content();
}

}  // namespace gantry::api
