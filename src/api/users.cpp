#include "access/access.hpp"
#include "api/accounts.hpp"
#include "api/handlers.hpp"

#include <optional>

// Everybody who may sign in.
namespace gantry::api {
namespace {

json::Object item_json(const access::User& user) {
  auto item = user_json(user.id, user.name, user.role);
  item["created_at"] = rfc3339(user.created_at);
  item["disabled"] = user.standing == access::Standing::disabled;
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

struct UserChange {
  std::optional<access::Role> role;
  std::optional<access::Standing> standing;
  std::optional<Secret> password;
};

Result<UserChange> read_user_change(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  UserChange change;
  if (fields.member("role") != nullptr) change.role = read_role(fields);
  if (auto password = fields.text("password", {1, access::password::bytes_max})) {
    change.password = Secret{std::move(*password)};
  }
  if (auto disabled = fields.boolean("disabled")) {
    change.standing = *disabled ? access::Standing::disabled : access::Standing::active;
  }
  if (!change.role && !change.password && !change.standing) {
    fields.refuse("role", "is missing, and 'password' and 'disabled' too");
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  if (!change.password) return change;
  if (auto fit = access::password::check_new(*change.password); !fit) return fail(fit.error());
  return change;
}

Result<> check_not_own(const access::Identity& identity, const access::UserId& user) {
  if (identity.user != user) return ok;
  return fail(ErrorKind::denied, "current_password_required",
              "cannot set your own password without the current one",
              "send both to PUT /api/v1/me/password");
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

Answer change_user(Call& call) {
  auto change = co_await read_json(call, &read_user_change);
  if (!change) co_return fail(std::move(change.error()));
  auto& access = call.services.access;
  const auto& identity = *call.identity;
  access::UserId user{call.id};
  if (change->password) {
    if (auto other = check_not_own(identity, user); !other) co_return fail(other.error());
  }
  // What may be refused comes first.
  if (change->standing) {
    auto changed = co_await access.set_standing(identity, user, *change->standing);
    if (!changed) co_return fail(std::move(changed.error()));
  }
  if (change->role) {
    auto changed = co_await access.set_role(identity, user, *change->role);
    if (!changed) co_return fail(std::move(changed.error()));
  }
  if (change->password) {
    auto changed =
        co_await access.change_password(identity, user, Secret{}, std::move(*change->password));
    if (!changed) co_return fail(std::move(changed.error()));
  }
  auto known = access.user(user);
  if (!known) {
    co_return fail(ErrorKind::not_found, "no_such_user",
                   "cannot show the user: somebody has removed it meanwhile");
  }
  co_return json_reply(200, item_json(*known));
}

Answer remove_user(Call& call) {
  auto removed = co_await call.services.access.remove_user(*call.identity, access::UserId{call.id});
  if (!removed) co_return fail(std::move(removed.error()));
  co_return no_content();
}

}  // namespace gantry::api
