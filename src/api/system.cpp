#include "api/handlers.hpp"
#include "api/limits.hpp"
#include "base/text.hpp"
#include "fleet/link.hpp"
#include "sandbox/languages.hpp"

#include <cmath>

// The server, its engine, the languages and the limits.
namespace gantry::api {
namespace {

json::Object trouble_json(const Error& error) {
  json::Object trouble{{"code", error.code}, {"detail", text::one_line(error.message)}};
  if (!error.remedy.empty()) trouble["remedy"] = error.remedy;
  return trouble;
}

json::Object engine_json(const fleet::ContainerView& view) {
  bool connected = view.engine == fleet::EngineState::connected;
  json::Object engine{{"state", connected ? "connected" : "unreachable"},
                      {"endpoint", view.endpoint},
                      {"name", nullptr},
                      {"version", nullptr},
                      {"api_version", nullptr},
                      {"os", nullptr},
                      {"cgroup_version", nullptr}};
  if (view.system) {
    engine["name"] = view.system->name;
    engine["version"] = view.system->engine_version;
    engine["os"] = view.system->os;
    engine["cgroup_version"] = view.system->cgroup_version;
  }
  if (view.api_version) engine["api_version"] = view.api_version->text();
  if (!connected && view.error) engine["error"] = trouble_json(*view.error);
  return engine;
}

json::Array languages_json() {
  json::Array items;
  for (const auto& language : sandbox::languages()) {
    json::Array aliases;
    for (auto alias : language.aliases) aliases.emplace_back(alias);
    items.push_back(json::Object{
        {"name", language.name}, {"image", language.image}, {"aliases", std::move(aliases)}});
  }
  return items;
}

/// Whole numbers without a fraction: `10000`, not `1E4`.
json::Value number_json(double number) {
  if (std::trunc(number) == number) return static_cast<std::int64_t>(number);
  return number;
}

json::Object limits_json(const fleet::ContainerView& view) {
  json::Object limits;
  for (const auto& bound : bounds_on(view)) {
    limits[bound.field] = json::Object{{"min", number_json(bound.min)},
                                       {"max", number_json(bound.max)},
                                       {"default", number_json(bound.usual)}};
  }
  return limits;
}

}  // namespace

Answer get_system(Call& call) {
  const auto& services = call.services;
  json::Object aliases;
  for (const auto& [asked, served] : services.aliases) aliases[asked] = served;
  co_return json_reply(200, json::Object{{"version", services.version},
                                         {"started_at", rfc3339(services.started_at)},
                                         {"engine", engine_json(services.link.view())},
                                         {"languages", languages_json()},
                                         {"image_aliases", std::move(aliases)},
                                         {"limits", limits_json(services.link.view())}});
}

Answer get_openapi(Call&) {
  co_return Reply{.status = 200,
                  .headers = {{"Content-Type", "application/yaml"}},
                  .body = std::string{openapi_document()}};
}

}  // namespace gantry::api
