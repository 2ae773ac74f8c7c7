#include "engine/images.hpp"

#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "base/text.hpp"
#include "executions/image_keeper.hpp"
#include "fleet/fleet.hpp"

// The images of the local engine.
namespace gantry::api {
namespace {

json::Value pulled_json(const executions::ImageKeeper& keeper, const engine::ImageSummary& image) {
  for (const auto* names : {&image.tags, &image.digests}) {
    for (const auto& name : *names) {
      auto found = keeper.images().find(name);
      if (found == keeper.images().end()) continue;
      return json::Object{{"reference", name},
                          {"pulled_at", rfc3339(found->second.pulled_at)},
                          {"used_at", rfc3339(found->second.used_at)}};
    }
  }
  return nullptr;
}

json::Array texts_json(const std::vector<std::string>& texts) {
  json::Array array;
  for (const auto& text : texts) array.emplace_back(text::one_line(text));
  return array;
}

/// Whether the host whose images these are is there for who asks.
bool sees_local_engine(const Call& call) {
  auto rights = call.rights();
  auto local = call.services.fleet.local();
  if (!local) return !rights.restricted();
  return rights.role_on(local->name(), local->config().groups, "").has_value();
}

}  // namespace

Answer list_images(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  if (!sees_local_engine(call)) {
    co_return json_reply(200, json::Object{{"items", json::Array{}}, {"next", nullptr}});
  }
  auto images = co_await engine::list_images(call.services.engine);
  if (!images) co_return fail(std::move(images.error()));
  json::Array items;
  for (const auto& image : *images) {
    items.push_back(json::Object{{"id", image.id},
                                 {"tags", texts_json(image.tags)},
                                 {"digests", texts_json(image.digests)},
                                 {"size_bytes", image.size_bytes},
                                 {"created_at", rfc3339(image.created)},
                                 {"sandbox", pulled_json(call.services.images, image)}});
  }
  co_return json_reply(200, json::Object{{"items", std::move(items)}, {"next", nullptr}});
}

}  // namespace gantry::api
