#include "fleet/projects.hpp"

#include "api/handlers.hpp"
#include "fleet/fleet.hpp"
#include "fleet/query.hpp"

// The Compose projects of all hosts, as labels tell of them.
namespace gantry::api {
namespace {

json::Object project_json(std::string_view host, const fleet::Project& project) {
  json::Array services;
  for (const auto& service : project.services) {
    json::Array containers;
    for (const auto* container : service.containers) containers.emplace_back(container->id);
    services.push_back(json::Object{
        {"name", service.name},
        {"containers", std::move(containers)},
        {"depends_on", json::Array(service.depends_on.begin(), service.depends_on.end())},
        {"level", service.level},
        {"state", word(service.state)}});
  }
  return {{"host", host},
          {"name", project.name},
          {"services", std::move(services)},
          {"state", word(project.state)}};
}

}  // namespace

Answer list_projects(Call& call) {
  auto wanted = call.query.text("host");
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto rights = call.rights();
  json::Array items;
  for (const auto& host : call.services.fleet.hosts()) {
    if (wanted && host->name() != *wanted) continue;
    fleet::Sight sight{rights, host->config()};
    if (!sight.host()) continue;
    auto shown = [&](const fleet::Container& container) { return sight.sees(container); };
    for (const auto& project : fleet::projects_of(host->view().containers, shown)) {
      items.push_back(project_json(host->name(), project));
    }
  }
  co_return json_reply(200, json::Object{{"items", std::move(items)}, {"next", nullptr}});
}

}  // namespace gantry::api
