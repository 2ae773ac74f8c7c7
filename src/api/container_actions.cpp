#include "api/container_form.hpp"
#include "api/guard.hpp"
#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/json_text.hpp"
#include "async/finally.hpp"
#include "async/scope.hpp"
#include "base/text.hpp"
#include "fleet/actions.hpp"

#include <fmt/format.h>

// What can be done to containers: to one, and to many at once.
namespace gantry::api {
namespace {

using fleet::ActionParameters;
using fleet::ContainerAction;

constexpr std::size_t bulk_max = 200;

json::Array warnings_json(const std::vector<std::string>& warnings) {
  json::Array out;
  for (const auto& warning : warnings) out.emplace_back(text::one_line(warning));
  return out;
}

fleet::ActionTarget target_of(const FoundContainer& container) {
  return {.host = container.host, .id = container.id, .name = container.name};
}

Result<ActionParameters> parameters_in(const json::Value& body, const ContainerAction& action) {
  json::Fields fields{body, "", json::Keys::strict};
  auto parameters = read_action_parameters(fields, action.word);
  if (auto done = fields.finish(); !done) return fail(done.error());
  return parameters;
}

/// The body of an action; without one everything is as usual.
async::task<Result<ActionParameters>> read_parameters(Call& call, const ContainerAction& action) {
  auto body = co_await call.exchange.body(call.body_max);
  if (!body) co_return fail(std::move(body.error()));
  if (body->empty()) co_return parameters_in(json::Object{}, action);
  if (auto type = check_content_type(call.exchange.request()); !type) {
    co_return fail(std::move(type.error().error));
  }
  auto value = json::parse(*body, json::Keys::strict);
  if (!value) co_return fail(std::move(value.error()));
  co_return parameters_in(*value, action);
}

async::task<Result<std::vector<std::string>>> do_it(Call& call, const ContainerAction& action,
                                                    ActionParameters parameters, std::string host,
                                                    std::string reference) {
  auto container =
      co_await find_container(call, std::move(host), std::move(reference), action.needed);
  if (!container) co_return fail(std::move(container.error()));
  co_return co_await fleet::act(call.services.operations, fleet::actor_of(*call.identity),
                                target_of(*container), action, std::move(parameters));
}

Answer act_on_one(Call& call, const char* word) {
  const auto* action = fleet::find_action(word);
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto parameters = co_await read_parameters(call, *action);
  if (!parameters) co_return fail(std::move(parameters.error()));
  auto done = co_await do_it(call, *action, std::move(*parameters), call.id, call.part);
  if (!done) co_return fail(std::move(done.error()));
  if (action->word != "update") co_return no_content();
  co_return json_reply(200, json::Object{{"warnings", warnings_json(*done)}});
}

struct BulkTarget {
  std::string host;
  std::string id;
};
struct Bulk {
  const ContainerAction* action = nullptr;
  ActionParameters parameters;
  std::vector<BulkTarget> targets;
};

void read_targets(json::Fields& fields, Bulk& bulk) {
  const auto* items = fields.array("containers", bulk_max);
  if (items == nullptr || items->empty()) {
    if (!fields.refused()) fields.refuse("containers", "must not be empty");
    return;
  }
  for (const auto& item : *items) {
    json::Fields target{item, fields.path("containers"), json::Keys::strict};
    bulk.targets.push_back(
        {target.required_text("host", {1, 63}), target.required_text("id", {1, 128})});
    if (auto done = target.finish(); !done) fields.adopt(done.error());
  }
}

Result<Bulk> read_bulk(const json::Value& body) {
  json::Fields fields{body, "", json::Keys::strict};
  Bulk bulk;
  auto word = fields.required_text("action", {1, 32});
  bulk.action = fleet::find_action(word);
  if (bulk.action == nullptr || bulk.action->bulk == ContainerAction::Bulk::no) {
    fields.refuse("action", "must be one that can be done to many containers");
  } else {
    bulk.parameters = read_action_parameters(fields, word);
  }
  read_targets(fields, bulk);
  if (auto done = fields.finish(); !done) return fail(done.error());
  return bulk;
}

async::task<void> do_one_of_many(Call& call, const Bulk& bulk, std::size_t index,
                                 std::vector<json::Object>& results) {
  const auto& target = bulk.targets[index];
  auto done =
      co_await async::attempt(do_it(call, *bulk.action, bulk.parameters, target.host, target.id));
  json::Object result{{"host", target.host}, {"id", target.id}, {"ok", done.has_value()}};
  if (!done) result["error"] = error_json(told_error(call, target.host, done.error()));
  results[index] = std::move(result);
}

}  // namespace

Answer start_container(Call& call) { return act_on_one(call, "start"); }
Answer stop_container(Call& call) { return act_on_one(call, "stop"); }
Answer restart_container(Call& call) { return act_on_one(call, "restart"); }
Answer pause_container(Call& call) { return act_on_one(call, "pause"); }
Answer unpause_container(Call& call) { return act_on_one(call, "unpause"); }
Answer kill_container(Call& call) { return act_on_one(call, "kill"); }
Answer rename_container(Call& call) { return act_on_one(call, "rename"); }
Answer update_container(Call& call) { return act_on_one(call, "update"); }

Answer remove_container(Call& call) {
  ActionParameters parameters;
  parameters.remove.force = call.query.boolean("force").value_or(false);
  parameters.remove.volumes = call.query.boolean("volumes").value_or(false);
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto done = co_await do_it(call, *fleet::find_action("remove"), std::move(parameters), call.id,
                             call.part);
  if (!done) co_return fail(std::move(done.error()));
  co_return no_content();
}

Answer act_on_containers(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto bulk = co_await read_json(call, read_bulk);
  if (!bulk) co_return fail(std::move(bulk.error()));
  std::vector<json::Object> results(bulk->targets.size());
  async::TaskScope scope{call.services.executor};
  for (std::size_t i = 0; i < bulk->targets.size(); ++i) {
    scope.spawn("one of many actions", do_one_of_many(call, *bulk, i, results));
  }
  // What has begun is not stopped half way by a client that leaves.
  co_await async::finally(scope.join(), scope.join());
  json::Array items;
  for (auto& result : results) items.push_back(std::move(result));
  co_return json_reply(200, json::Object{{"results", std::move(items)}});
}

}  // namespace gantry::api
