#include "executions/workspaces.hpp"

#include "access/access.hpp"
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "executions/executions.hpp"

// What users keep between executions: everybody has their own.
namespace gantry::api {
namespace {

json::Value workspace_json(const executions::WorkspaceInfo& info) {
  return json::Object{{"name", info.name},
                      {"bytes", info.size.bytes.count},
                      {"files", info.size.files},
                      {"changed_at", rfc3339(info.changed_at)},
                      {"in_use", info.in_use}};
}

}  // namespace

Answer list_workspaces(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  json::Array items;
  for (const auto& info : co_await call.services.executions.workspaces().list(call.account())) {
    items.push_back(workspace_json(info));
  }
  co_return json_reply(200, json::Object{{"items", std::move(items)}, {"next", nullptr}});
}

Answer get_workspace(Call& call) {
  auto info = co_await call.services.executions.workspaces().find(call.account(), call.id);
  if (!info) co_return fail(std::move(info.error()));
  co_return json_reply(200, workspace_json(*info));
}

Answer remove_workspace(Call& call) {
  auto removed = co_await call.services.executions.workspaces().remove(call.account(), call.id);
  if (!removed) co_return fail(std::move(removed.error()));
  co_await call.services.access.record({.actor = call.who(),
                                        .action = "workspace.remove",
                                        .target = call.id,
                                        .outcome = "ok",
                                        .details = {}});
  co_return no_content();
}

}  // namespace gantry::api
