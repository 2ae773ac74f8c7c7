#include "executions/registries.hpp"

#include "access/access.hpp"
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "base/text.hpp"

// Who this server is to the registries it pulls from.
namespace gantry::api {
namespace {

struct NewRegistry {
  std::string host;
  std::string user;
  Secret password;
};

Result<NewRegistry> read_registry(const json::Value& value) {
  json::Fields fields{value, "", json::Keys::strict};
  NewRegistry registry;
  registry.host = fields.required_text("host", {1, 255});
  registry.user = fields.required_text("user", {1, 255});
  registry.password = Secret{fields.required_text("password", {1, 4096})};
  if (auto read = fields.finish(); !read) return fail(read.error());
  return registry;
}

json::Object registry_json(const executions::Registry& registry) {
  return {{"id", registry.id.text()},
          {"host", registry.host},
          {"user", text::one_line(registry.user)},
          {"created_at", rfc3339(registry.created_at)}};
}

/// The line of the audit log about a change by who calls.
executions::Alongside noted(const Call& call, std::string action) {
  return [actor = call.who(), action = std::move(action), at = call.services.clock.now()](
             storage::Transaction& transaction, const executions::Registry& registry) {
    auto details = json::serialize(json::Object{{"user", registry.user}});
    access::audit::append(transaction, {actor, action, registry.host, "ok", details}, at);
  };
}

}  // namespace

Answer list_registries(Call& call) {
  json::Array items;
  for (const auto& registry : call.services.registries.list()) {
    items.push_back(registry_json(registry));
  }
  co_return json_reply(200, json::Object{{"items", std::move(items)}, {"next", nullptr}});
}

Answer put_registry(Call& call) {
  auto wanted = co_await read_json(call, &read_registry);
  if (!wanted) co_return fail(std::move(wanted.error()));
  auto registry = co_await call.services.registries.put(
      wanted->host, wanted->user, std::move(wanted->password), noted(call, "registry.put"));
  if (!registry) co_return fail(std::move(registry.error()));
  co_return json_reply(201, registry_json(*registry));
}

Answer remove_registry(Call& call) {
  auto removed = co_await call.services.registries.remove(executions::RegistryId{call.id},
                                                          noted(call, "registry.remove"));
  if (!removed) co_return fail(std::move(removed.error()));
  co_return no_content();
}

}  // namespace gantry::api
