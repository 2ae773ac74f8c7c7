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

json::Object engine_json(const fleet::HostView& view) {
  bool connected = view.state == fleet::EngineState::connected;
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

json::Array texts_json(std::span<const std::string> texts) {
  json::Array array;
  for (const auto& text : texts) array.emplace_back(text);
  return array;
}

json::Array languages_json(const sandbox::Languages& languages) {
  json::Array items;
  for (const auto& language : languages.all()) {
    json::Value version;
    if (!language.version.empty()) version = language.version;
    items.push_back(json::Object{{"name", language.name},
                                 {"aliases", texts_json(language.aliases)},
                                 {"version", std::move(version)},
                                 {"image", language.image},
                                 {"extensions", texts_json(language.extensions)},
                                 {"entry", language.entry_file},
                                 {"compiled", !language.compile.empty()},
                                 {"prewarm", language.prewarm}});
  }
  return items;
}

/// Whole numbers without a fraction: `10000`, not `1E4`.
json::Value number_json(double number) {
  if (std::trunc(number) == number) return static_cast<std::int64_t>(number);
  return number;
}

json::Object limits_json(const sandbox::PolicyBounds& bounds) {
  json::Object limits;
  for (const auto& bound : bounds.numbers()) {
    limits[bound.field] = json::Object{{"min", number_json(bound.min)},
                                       {"max", number_json(bound.max)},
                                       {"default", number_json(bound.usual)}};
  }
  for (const auto& mode : bounds.modes()) {
    json::Array allowed;
    for (auto word : mode.allowed) allowed.emplace_back(word);
    limits[mode.field] = json::Object{{"allowed", std::move(allowed)}, {"default", mode.usual}};
  }
  return limits;
}

/// Where a server can be listened in to is for those who can change that.
json::Array warnings_json(const Call& call) {
  bool admin = call.identity && call.identity->at_least(access::Role::admin);
  if (!admin || call.services.warnings == nullptr) return {};
  return texts_json(*call.services.warnings);
}

}  // namespace

Answer get_system(Call& call) {
  const auto& services = call.services;
  json::Object aliases;
  for (const auto& [asked, served] : services.aliases) aliases[asked] = served;
  // It is a host's, which executors and who has grants do not see here.
  auto engine = call.rights().restricted() ? json::Value(nullptr)
                                           : json::Value(engine_json(services.fleet.local_view()));
  co_return json_reply(200, json::Object{{"version", services.version},
                                         {"started_at", rfc3339(services.started_at)},
                                         {"engine", std::move(engine)},
                                         {"languages", languages_json(services.languages)},
                                         {"image_aliases", std::move(aliases)},
                                         {"limits", limits_json(bounds_for(call))},
                                         {"warnings", warnings_json(call)}});
}

Answer get_openapi(Call&) {
  co_return Reply{.status = 200,
                  .headers = {{"Content-Type", "application/yaml"}},
                  .body = std::string{openapi_document()}};
}

}  // namespace gantry::api
