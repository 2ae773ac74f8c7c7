#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/host_objects.hpp"
#include "api/json_text.hpp"
#include "base/text.hpp"
#include "fleet/fleet.hpp"

#include <algorithm>
#include <map>

// A host's images, volumes and networks, from what its link keeps in memory.
namespace gantry::api {
namespace {

constexpr int usual_limit = 200;
constexpr int limit_max = 1'000;

/// What of a list somebody asks for.
struct Part {
  std::string searched;  ///< In lower case; empty: everything.
  std::string after;     ///< The key of the last one of the page before.
  std::size_t limit = usual_limit;
};

Result<Part> read_part(Call& call) {
  Part part;
  part.searched = text::lowered(call.query.text("q").value_or(""));
  part.after = call.query.text("cursor").value_or("");
  part.limit =
      static_cast<std::size_t>(call.query.integer("limit", 1, limit_max).value_or(usual_limit));
  if (auto read = call.query.finish(); !read) return fail(read.error());
  return part;
}

/// Everything that differs between the lists.
template <class T>
struct Sort {
  const std::vector<T>& (*of)(const fleet::HostView& view);
  const std::string& (*key)(const T& item);
  bool (*fits)(const T& item, const std::string& searched);
  json::Object (*json)(const T& item);
};

template <class T>
Result<Reply> list(Call& call, const Sort<T>& sort) {
  auto host = host_for(call, access::Role::viewer);
  if (!host) return fail(std::move(host.error()));
  auto part = read_part(call);
  if (!part) return fail(std::move(part.error()));
  const auto& view = (*host)->view();
  const auto& all = sort.of(view);
  auto at = all.begin();
  if (!part->after.empty()) {
    at = std::ranges::find(all, part->after, [&](const T& item) { return sort.key(item); });
    if (at == all.end()) {
      return fail(ErrorKind::invalid, "invalid_cursor",
                  "cannot continue the list: what it had come to is not there any more",
                  "start again without a cursor");
    }
    ++at;
  }
  json::Array items;
  json::Value next;
  const std::string* last = nullptr;
  for (; at != all.end(); ++at) {
    if (!part->searched.empty() && !sort.fits(*at, part->searched)) continue;
    if (items.size() == part->limit) {
      next = *last;
      break;
    }
    items.push_back(sort.json(*at));
    last = &sort.key(*at);
  }
  return json_reply(200, json::Object{{"items", std::move(items)},
                                      {"next", std::move(next)},
                                      {"stale", view.stale},
                                      {"as_of", time_or_null(view.as_of)}});
}

bool holds(const std::string& text, const std::string& searched) {
  return text::lowered(text).find(searched) != std::string::npos;
}

json::Object image_json(const engine::ImageSummary& image) {
  return {{"id", image.id},
          {"tags", lines_json(image.tags)},
          {"digests", lines_json(image.digests)},
          {"created_at", rfc3339(image.created)},
          {"size_bytes", image.size_bytes},
          {"labels", labels_json(image.labels)}};
}

json::Object volume_json(const engine::Volume& volume) {
  return {{"name", line_json(volume.name)},
          {"driver", line_json(volume.driver)},
          {"created_at", line_json(volume.created)},
          {"labels", labels_json(volume.labels)}};
}

json::Object network_json(const engine::Network& network) {
  json::Array subnets;
  for (const auto& subnet : network.subnets) {
    subnets.push_back(
        json::Object{{"prefix", line_json(subnet.prefix)}, {"gateway", line_json(subnet.gateway)}});
  }
  return {{"id", line_json(network.id)},         {"name", line_json(network.name)},
          {"driver", line_json(network.driver)}, {"scope", line_json(network.scope)},
          {"internal", network.internal},        {"ipv6", network.ipv6},
          {"subnets", std::move(subnets)},       {"labels", labels_json(network.labels)}};
}

constexpr Sort<engine::ImageSummary> images{
    .of = [](const fleet::HostView& view) -> const auto& { return view.images; },
    .key = [](const engine::ImageSummary& image) -> const auto& { return image.id; },
    .fits =
        [](const engine::ImageSummary& image, const std::string& searched) {
          return holds(image.id, searched) || std::ranges::any_of(image.tags, [&](const auto& tag) {
                   return holds(tag, searched);
                 });
        },
    .json = &image_json};

constexpr Sort<engine::Volume> volumes{
    .of = [](const fleet::HostView& view) -> const auto& { return view.volumes; },
    .key = [](const engine::Volume& volume) -> const auto& { return volume.name; },
    .fits = [](const engine::Volume& volume,
               const std::string& searched) { return holds(volume.name, searched); },
    .json = &volume_json};

constexpr Sort<engine::Network> networks{
    .of = [](const fleet::HostView& view) -> const auto& { return view.networks; },
    .key = [](const engine::Network& network) -> const auto& { return network.id; },
    .fits = [](const engine::Network& network,
               const std::string& searched) { return holds(network.name, searched); },
    .json = &network_json};

}  // namespace

Answer list_host_images(Call& call) { co_return list(call, images); }
Answer list_host_volumes(Call& call) { co_return list(call, volumes); }
Answer list_host_networks(Call& call) { co_return list(call, networks); }

}  // namespace gantry::api
