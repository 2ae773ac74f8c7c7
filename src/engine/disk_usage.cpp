#include "engine/disk_usage.hpp"

#include "engine/read.hpp"

#include <algorithm>

namespace gantry::engine {
namespace {

constexpr Bytes answer_max{64U << 20U};
constexpr Milliseconds patience{180'000};

std::int64_t size_in(json::Fields& fields, std::string_view key) {
  // -1 is how the engine says that it has not counted.
  return std::max<std::int64_t>(0, read::integer(fields, key));
}

ImageUsage image_of(json::Fields& fields) {
  ImageUsage image;
  image.id = read::text(fields, "Id");
  image.tags = read::texts(fields, "RepoTags");
  std::erase_if(image.tags, [](const std::string& tag) { return tag.starts_with("<none>"); });
  image.size_bytes = size_in(fields, "Size");
  image.shared_bytes = size_in(fields, "SharedSize");
  image.containers = size_in(fields, "Containers");
  return image;
}

ContainerUsage container_of(json::Fields& fields) {
  ContainerUsage container;
  container.id = read::text(fields, "Id");
  auto names = read::texts(fields, "Names");
  if (!names.empty()) container.name = names.front();
  if (container.name.starts_with('/')) container.name.erase(0, 1);
  container.state = read::text(fields, "State");
  container.written_bytes = size_in(fields, "SizeRw");
  return container;
}

VolumeUsage volume_of(json::Fields& fields) {
  VolumeUsage volume;
  volume.name = read::text(fields, "Name");
  const auto* usage = fields.member("UsageData");
  if (usage == nullptr) return volume;
  auto inner = read::fields(*usage, "UsageData");
  if (auto size = read::integer(inner, "Size"); size >= 0) volume.size_bytes = size;
  volume.containers = size_in(inner, "RefCount");
  if (auto done = inner.finish(); !done) fields.adopt(done.error());
  return volume;
}

CacheUsage cache_of(json::Fields& fields) {
  CacheUsage cache;
  cache.id = read::text(fields, "ID");
  cache.type = read::text(fields, "Type");
  cache.description = read::text(fields, "Description");
  cache.size_bytes = size_in(fields, "Size");
  cache.in_use = read::boolean(fields, "InUse");
  cache.shared = read::boolean(fields, "Shared");
  return cache;
}

template <class Item>
void read_items(json::Fields& parent, std::string_view key, Item (*item)(json::Fields&),
                std::vector<Item>& into) {
  const auto* values = parent.array(key, SIZE_MAX);
  if (values == nullptr) return;
  for (const auto& value : *values) {
    auto fields = read::fields(value, std::string{key});
    into.push_back(item(fields));
    if (auto done = fields.finish(); !done) return parent.adopt(done.error());
  }
}

}  // namespace

async::task<Result<DiskUsage>> disk_usage(Client& client) {
  Request request;
  request.doing = {"count", "what the engine keeps on disk", ""};
  request.path = {"system", "df"};
  request.answer_max = answer_max;
  request.patience = patience;
  auto doing = request.doing;
  auto answer = co_await client.call_json(std::move(request));
  if (!answer) co_return fail(std::move(answer.error()));
  auto fields = read::fields(*answer, "");
  DiskUsage usage;
  usage.layers_bytes = size_in(fields, "LayersSize");
  read_items(fields, "Images", &image_of, usage.images);
  read_items(fields, "Containers", &container_of, usage.containers);
  read_items(fields, "Volumes", &volume_of, usage.volumes);
  read_items(fields, "BuildCache", &cache_of, usage.build_cache);
  if (auto done = fields.finish(); !done) co_return fail(read::malformed(doing, done.error()));
  co_return usage;
}

}  // namespace gantry::engine
