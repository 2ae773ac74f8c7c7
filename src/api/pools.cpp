#include "api/pools.hpp"

#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "base/text.hpp"
#include "sandbox/pool.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

// What waits for programs before they come.
namespace gantry::api {
namespace {

json::Value text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::Value(text::one_line(text));
}

json::Value hit_ratio(const sandbox::PoolView& pool) {
  auto served = pool.hits + pool.misses;
  if (served == 0) return nullptr;
  return static_cast<double>(pool.hits) / static_cast<double>(served);
}

json::Value error_or_null(const std::optional<Error>& error) {
  if (!error) return nullptr;
  auto told = *error;
  told.message = text::one_line(told.message);
  return error_json(told);
}

/// Images that everybody may know of: those of the languages, and what serves for others.
std::set<std::string> public_images(const Services& services) {
  std::set<std::string> images;
  for (const auto& language : services.languages.all()) images.insert(language.image);
  for (const auto& [asked, served] : services.aliases) images.insert({asked, served});
  return images;
}

/// Without what tells which image somebody else runs.
void hide_image(sandbox::PoolView& pool) {
  pool.image.clear();
  pool.image_id.clear();
  pool.last_error.reset();
}

json::Object pool_json(const sandbox::PoolView& pool) {
  auto memory = pool.memory ? json::Value(pool.memory->count) : json::Value(nullptr);
  return {{"executor", pool.executor},
          {"image", text_or_null(pool.image)},
          {"image_id", text_or_null(pool.image_id)},
          {"interpreter", pool.interpreter},
          {"policy_class", pool.description},
          {"ready", pool.ready},
          {"making", pool.making},
          {"target", pool.wanted},
          {"in_use", pool.in_use},
          {"arrivals", pool.arrivals},
          {"hits", pool.hits},
          {"misses", pool.misses},
          {"hit_ratio", hit_ratio(pool)},
          {"failures", pool.failures},
          {"oldest_ms", pool.oldest.count()},
          {"memory_bytes", std::move(memory)},
          {"last_error", error_or_null(pool.last_error)}};
}

}  // namespace

std::vector<sandbox::PoolView> visible_pools(const Call& call) {
  const auto& services = call.services;
  auto pools = services.pools ? services.pools() : std::vector<sandbox::PoolView>{};
  if (call.identity && call.identity->at_least(access::Role::admin)) return pools;
  auto known = public_images(services);
  for (auto& pool : pools) {
    if (!pool.image.empty() && !known.contains(pool.image)) hide_image(pool);
    if (pool.last_error) pool.last_error = told_error(call, {}, std::move(*pool.last_error));
  }
  return pools;
}

Answer list_pools(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  const auto& services = call.services;
  json::Array items;
  Bytes memory;
  for (const auto& pool : visible_pools(call)) {
    items.push_back(pool_json(pool));
    memory.count += pool.memory.value_or(Bytes{}).count;
  }
  co_return json_reply(200, json::Object{{"items", std::move(items)},
                                         {"next", nullptr},
                                         {"memory_bytes", memory.count},
                                         {"memory_max_bytes", services.pool_memory_max.count}});
}

}  // namespace gantry::api
