#include "api/guard.hpp"
#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/host_objects.hpp"
#include "api/json_text.hpp"
#include "fleet/project_actions.hpp"
#include "fleet/projects.hpp"

#include <algorithm>

#include <fmt/format.h>

// One Compose project of a host, and starting, stopping and restarting it. Its logs are in
// host_project_logs.cpp.
namespace gantry::api {
namespace {

constexpr int grace_max = 3'600;

struct FoundProject {
  std::shared_ptr<fleet::Host> host;
  /// Points into the host's view: not to be used after a wait.
  fleet::Project project;
};

Result<FoundProject> project_for(Call& call, access::Role needed) {
  auto host = visible_host(call, call.id);
  if (!host) return fail(std::move(host.error()));
  auto hidden = no_such("project", call.part, **host);
  if (auto may = check_role(call, **host, call.part, needed, hidden); !may) {
    return fail(may.error());
  }
  auto of_it = [&](const fleet::Container& one) { return one.project == call.part; };
  auto projects = fleet::projects_of((*host)->view().containers, of_it);
  if (projects.empty()) return fail(std::move(hidden));
  return FoundProject{std::move(*host), std::move(projects.front())};
}

json::Object container_json(const fleet::Container& container) {
  json::Object item{{"id", container.id},
                    {"name", line_json(container.name)},
                    {"image", line_json(container.image)},
                    {"state", line_json(container.state)},
                    {"status", line_json(container.status)},
                    {"health", fleet::word(container.health)}};
  if (auto code = fleet::exit_code_in(container.status)) item["exit_code"] = *code;
  return item;
}

json::Object service_json(const fleet::Service& service) {
  json::Array containers;
  json::Array needs;
  for (const auto* container : service.containers) {
    containers.push_back(container_json(*container));
  }
  if (!service.containers.empty()) {
    auto label = service.containers.front()->labels.find("com.docker.compose.depends_on");
    for (const auto& need : fleet::needs_in(label.value_or(""))) {
      needs.push_back(json::Object{{"service", line_json(need.service)},
                                   {"condition", fleet::word(need.until)}});
    }
  }
  return {{"name", line_json(service.name)},
          {"state", fleet::word(service.state)},
          {"depends_on", std::move(needs)},
          {"containers", std::move(containers)}};
}

json::Object project_json(const fleet::Host& host, const fleet::Project& project) {
  json::Array services;
  for (const auto& service : project.services) services.push_back(service_json(service));
  return {{"host", host.name()},
          {"name", line_json(project.name)},
          {"state", fleet::word(project.state)},
          {"services", std::move(services)},
          {"stale", host.view().stale},
          {"as_of", time_or_null(host.view().as_of)}};
}

Result<fleet::ProjectChange> read_change(const json::Value& value, fleet::ProjectAction action) {
  json::Fields fields{value, "", json::Keys::strict};
  fleet::ProjectChange change{.action = action};
  if (action != fleet::ProjectAction::start) {
    change.grace = Seconds{fields.integer("grace_seconds", {0, grace_max}).value_or(10)};
  }
  if (action != fleet::ProjectAction::stop && fields.boolean("one_shots").value_or(false)) {
    change.one_shots = fleet::ProjectChange::OneShots::started;
  }
  if (auto read = fields.finish(); !read) return fail(read.error());
  return change;
}

json::Object result_json(const Call& call, const fleet::MemberResult& result) {
  json::Object out{{"service", line_json(result.service)},
                   {"id", result.id},
                   {"name", line_json(result.name)},
                   {"did", fleet::word(result.did)}};
  if (result.error) out["error"] = error_json(told_error(call, call.id, *result.error));
  return out;
}

/// Without a body everything is as usual.
async::task<Result<fleet::ProjectChange>> read_change(Call& call, fleet::ProjectAction action) {
  auto body = co_await call.exchange.body(call.body_max);
  if (!body) co_return fail(std::move(body.error()));
  if (body->empty()) co_return fleet::ProjectChange{.action = action};
  if (auto type = check_content_type(call.exchange.request()); !type) {
    co_return fail(std::move(type.error().error));
  }
  auto value = json::parse(*body, json::Keys::strict);
  if (!value) co_return fail(std::move(value.error()));
  co_return read_change(*value, action);
}

Answer change(Call& call, fleet::ProjectAction action) {
  auto wanted = co_await read_change(call, action);
  if (!wanted) co_return fail(std::move(wanted.error()));
  auto found = project_for(call, access::Role::operator_);
  if (!found) co_return fail(std::move(found.error()));
  if (found->host->view().stale) {
    co_return fail(ErrorKind::unavailable, "host_unreachable",
                   fmt::format("cannot {} project '{}' on '{}': the host is not reachable now",
                               fleet::word(action), found->project.name, found->host->name()),
                   "POST /api/v1/hosts/{id}/test tells why");
  }
  // Once begun it goes on to its end, whether the caller waits for it or not: half a project that
  // was stopped to be restarted is the worst of all states.
  auto results = co_await fleet::change_project(
      call.services.operations, found->host, fleet::actor_of(*call.identity), found->project.name,
      fleet::members_of(found->project), *wanted);
  if (!results) co_return fail(std::move(results.error()));
  json::Array items;
  for (const auto& result : *results) items.push_back(result_json(call, result));
  bool fine = std::ranges::count(*results, fleet::Did::failed, &fleet::MemberResult::did) == 0;
  co_return json_reply(200, json::Object{{"ok", fine}, {"results", std::move(items)}});
}

}  // namespace

Answer get_project(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto found = project_for(call, access::Role::viewer);
  if (!found) co_return fail(std::move(found.error()));
  co_return json_reply(200, project_json(*found->host, found->project));
}

Answer start_project(Call& call) { return change(call, fleet::ProjectAction::start); }
Answer stop_project(Call& call) { return change(call, fleet::ProjectAction::stop); }
Answer restart_project(Call& call) { return change(call, fleet::ProjectAction::restart); }

}  // namespace gantry::api
