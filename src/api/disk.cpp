#include "api/handlers.hpp"
#include "api/host_objects.hpp"
#include "engine/disk_usage.hpp"

#include <algorithm>

// What a host's engine keeps on its disk.
namespace gantry::api {
namespace {

/// Of each kind the largest are told one by one.
constexpr std::size_t items_max = 200;

template <class Item, class Size>
void largest_first(std::vector<Item>& items, Size size) {
  std::ranges::sort(items, std::greater{}, size);
}

template <class Item>
json::Array items_json(const std::vector<Item>& items, json::Object (*item)(const Item&)) {
  json::Array out;
  for (const auto& one : items) {
    if (out.size() == items_max) break;
    out.push_back(item(one));
  }
  return out;
}

json::Object kind_json(std::size_t count, std::int64_t size, std::int64_t reclaimable,
                       json::Array items) {
  return {{"count", count},
          {"size_bytes", size},
          {"reclaimable_bytes", reclaimable},
          {"items", std::move(items)}};
}

json::Object images_json(engine::DiskUsage& usage) {
  std::int64_t reclaimable = 0;
  for (const auto& image : usage.images) {
    if (image.containers == 0)
      reclaimable += std::max<std::int64_t>(0, image.size_bytes - image.shared_bytes);
  }
  largest_first(usage.images, &engine::ImageUsage::size_bytes);
  auto item = [](const engine::ImageUsage& image) {
    return json::Object{{"id", image.id},
                        {"names", lines_json(image.tags)},
                        {"size_bytes", image.size_bytes},
                        {"shared_bytes", image.shared_bytes},
                        {"containers", image.containers}};
  };
  return kind_json(usage.images.size(), usage.layers_bytes, reclaimable,
                   items_json<engine::ImageUsage>(usage.images, item));
}

json::Object containers_json(engine::DiskUsage& usage) {
  std::int64_t size = 0;
  std::int64_t reclaimable = 0;
  for (const auto& container : usage.containers) {
    size += container.written_bytes;
    if (container.state == "exited" || container.state == "created" || container.state == "dead") {
      reclaimable += container.written_bytes;
    }
  }
  largest_first(usage.containers, &engine::ContainerUsage::written_bytes);
  auto item = [](const engine::ContainerUsage& container) {
    return json::Object{{"id", container.id},
                        {"name", line_json(container.name)},
                        {"state", line_json(container.state)},
                        {"size_bytes", container.written_bytes}};
  };
  return kind_json(usage.containers.size(), size, reclaimable,
                   items_json<engine::ContainerUsage>(usage.containers, item));
}

json::Object volumes_json(engine::DiskUsage& usage) {
  std::int64_t size = 0;
  std::int64_t reclaimable = 0;
  for (const auto& volume : usage.volumes) {
    size += volume.size_bytes.value_or(0);
    if (volume.containers == 0) reclaimable += volume.size_bytes.value_or(0);
  }
  largest_first(usage.volumes, &engine::VolumeUsage::size_bytes);
  auto item = [](const engine::VolumeUsage& volume) {
    json::Object out{{"name", line_json(volume.name)}, {"containers", volume.containers}};
    if (volume.size_bytes) out["size_bytes"] = *volume.size_bytes;
    return out;
  };
  return kind_json(usage.volumes.size(), size, reclaimable,
                   items_json<engine::VolumeUsage>(usage.volumes, item));
}

json::Object cache_json(engine::DiskUsage& usage) {
  std::int64_t size = 0;
  std::int64_t reclaimable = 0;
  for (const auto& cache : usage.build_cache) {
    if (cache.shared) continue;
    size += cache.size_bytes;
    if (!cache.in_use) reclaimable += cache.size_bytes;
  }
  largest_first(usage.build_cache, &engine::CacheUsage::size_bytes);
  auto item = [](const engine::CacheUsage& cache) {
    return json::Object{{"id", line_json(cache.id)},
                        {"type", line_json(cache.type)},
                        {"description", line_json(cache.description)},
                        {"size_bytes", cache.size_bytes},
                        {"in_use", cache.in_use}};
  };
  return kind_json(usage.build_cache.size(), size, reclaimable,
                   items_json<engine::CacheUsage>(usage.build_cache, item));
}

}  // namespace

Answer get_disk_usage(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto host = host_for(call, access::Role::viewer);
  if (!host) co_return fail(std::move(host.error()));
  auto usage = co_await unless_abandoned(call, engine::disk_usage((*host)->engine()));
  if (!usage) co_return answered_already();
  if (!*usage) co_return fail(std::move(usage->error()));
  co_return json_reply(200, json::Object{{"images", images_json(**usage)},
                                         {"containers", containers_json(**usage)},
                                         {"volumes", volumes_json(**usage)},
                                         {"build_cache", cache_json(**usage)}});
}

}  // namespace gantry::api
