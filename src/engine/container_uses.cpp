#include "engine/container_uses.hpp"

#include "engine/read.hpp"

namespace gantry::engine {
namespace {

constexpr Bytes list_max{64U << 20U};

void add(std::vector<std::string>& texts, std::string text) {
  if (!text.empty()) texts.push_back(std::move(text));
}

void read_volumes(const json::Object& container, ContainerUse& use) {
  const auto* mounts = container.if_contains("Mounts");
  if (mounts == nullptr || !mounts->is_array()) return;
  for (const auto& mount : mounts->as_array()) {
    if (!mount.is_object()) continue;
    if (read::text_in(mount.as_object(), "Type") != "volume") continue;
    add(use.volumes, read::text_in(mount.as_object(), "Name"));
  }
}

void read_networks(const json::Object& container, ContainerUse& use) {
  const auto& networks = read::object(read::object(container, "NetworkSettings"), "Networks");
  for (const auto& [name, place] : networks) {
    add(use.networks, std::string{name});
    if (place.is_object()) add(use.networks, read::text_in(place.as_object(), "NetworkID"));
  }
}

Result<ContainerUse> use_of(const Doing& doing, const json::Value& value) {
  auto fields = read::fields(value, "");
  ContainerUse use;
  use.id = read::text(fields, "Id");
  for (const auto& name : read::texts(fields, "Names")) {
    // Links give a container further names, with a slash inside.
    if (use.name.empty() || name.rfind('/') == 0) use.name = name.substr(name.starts_with('/'));
  }
  use.state = read::text(fields, "State");
  use.image_id = read::text(fields, "ImageID");
  use.labels = read::text_map(fields, "Labels");
  if (auto done = fields.finish(); !done) return fail(read::malformed(doing, done.error()));
  read_volumes(value.as_object(), use);
  read_networks(value.as_object(), use);
  return use;
}

}  // namespace

async::task<Result<std::vector<ContainerUse>>> container_uses(Client& client) {
  Request request;
  request.doing = {"list", "containers", ""};
  request.path = {"containers", "json"};
  request.query = {{"all", "1"}};
  request.answer_max = list_max;
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  const auto* items = answer->if_array();
  if (items == nullptr) {
    co_return fail(read::malformed(doing, json::field_error("body", "must be an array")));
  }
  std::vector<ContainerUse> uses;
  for (const auto& item : *items) {
    auto use = use_of(doing, item);
    if (!use) co_return fail(std::move(use.error()));
    uses.push_back(std::move(*use));
  }
  co_return uses;
}

}  // namespace gantry::engine
