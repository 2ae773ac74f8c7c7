#include "api/host_prune.hpp"

#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::api {
namespace {

constexpr std::size_t ids_max = 500;
constexpr std::size_t labels_max = 16;
constexpr std::int64_t oldest_ms = 315'360'000'000;  // ten years

struct Wanted {
  std::vector<std::string> ids;  ///< None: a preview.
  fleet::PruneWish wish;
};

void read_which(json::Fields& fields, const PruneKind& kind, fleet::PruneWish& wish) {
  auto which = fields.text("which", {1, 32});
  if (!which || *which == kind.nameless) return;
  if (*which != kind.unused) {
    return fields.refuse("which", fmt::format("must be '{}' or '{}'", kind.nameless, kind.unused));
  }
  wish.which = fleet::PruneWish::Which::unused;
}

Result<Wanted> read_wanted(const json::Value& value, const PruneKind& kind, WallTime now) {
  json::Fields fields{value, "", json::Keys::strict};
  Wanted wanted;
  wanted.wish.kept_label = kind.kept_label;
  auto preview = fields.boolean("preview").value_or(false);
  wanted.ids = fields.texts("ids", ids_max, {1, 255});
  if (preview == !wanted.ids.empty()) {
    fields.refuse("preview", "must be true, or 'ids' must say what of a preview shall go");
  }
  if (!kind.nameless.empty()) read_which(fields, kind, wanted.wish);
  if (kind.thing == "image") {
    if (auto age = fields.integer("older_than_ms", {0, oldest_ms})) {
      wanted.wish.made_before = now - Milliseconds{*age};
    }
  }
  wanted.wish.labels = fields.texts("labels", labels_max, {1, 512});
  if (auto read = fields.finish(); !read) return fail(read.error());
  return wanted;
}

json::Object item_json(const fleet::Prunable& item) {
  json::Object out{{"id", item.id}, {"names", lines_json(item.names)}};
  if (item.created) {
    out["created_at"] = rfc3339(*item.created);
    out["size_bytes"] = item.size_bytes;
  }
  return out;
}

json::Object preview_json(const std::vector<fleet::Prunable>& plan) {
  json::Array items;
  std::int64_t size = 0;
  for (const auto& item : plan) {
    items.push_back(item_json(item));
    size += item.size_bytes;
  }
  return {{"items", std::move(items)}, {"size_bytes", size}};
}

Error goes_no_more(const PruneKind& kind, const std::string& id) {
  return {ErrorKind::conflict, "not_prunable",
          fmt::format("cannot prune {} '{}': it is used now, gone, or was not in the preview",
                      kind.thing, text::shortened(text::one_line(id), 80)),
          "ask for a preview again"};
}

async::task<Result<>> remove(Call& call, HostPointer host, const PruneKind& kind,
                             const fleet::Prunable& item) {
  auto change = operation(call, *host, fmt::format("{}.remove", kind.thing), item.id,
                          {{"names", lines_json(item.names)}, {"prune", true}});
  return call.services.operations.run(std::move(change), kind.remove(host, item));
}

async::task<Result<json::Object>> apply(Call& call, HostPointer host, const PruneKind& kind,
                                        Wanted wanted) {
  auto plan = co_await kind.plan(host, std::move(wanted.wish));
  if (!plan) co_return fail(std::move(plan.error()));
  json::Array results;
  std::int64_t size = 0;
  std::size_t removed = 0;
  auto tell = [&](const std::string& id, const Result<>& outcome) {
    json::Object result{{"id", id}, {"ok", outcome.has_value()}};
    if (!outcome) result["error"] = error_json(outcome.error());
    results.push_back(std::move(result));
  };
  // In the plan's order, which knows what must go first.
  for (const auto& item : *plan) {
    if (std::erase(wanted.ids, item.id) == 0) continue;
    auto outcome = co_await remove(call, host, kind, item);
    tell(item.id, outcome);
    if (!outcome) continue;
    ++removed;
    size += item.size_bytes;
  }
  for (const auto& id : wanted.ids) tell(id, fail(goes_no_more(kind, id)));
  co_return json::Object{
      {"results", std::move(results)}, {"removed", removed}, {"size_bytes", size}};
}

}  // namespace

Answer prune(Call& call, const PruneKind& kind) {
  auto host = host_for(call, access::Role::operator_);
  if (!host) co_return fail(std::move(host.error()));
  auto wanted = co_await read_json(call, [&](const json::Value& value) {
    return read_wanted(value, kind, call.services.clock.now());
  });
  if (!wanted) co_return fail(std::move(wanted.error()));
  if (wanted->ids.empty()) {
    auto plan = co_await kind.plan(*host, std::move(wanted->wish));
    if (!plan) co_return fail(std::move(plan.error()));
    co_return json_reply(200, preview_json(*plan));
  }
  auto done = co_await unless_abandoned(call, apply(call, *host, kind, std::move(*wanted)));
  if (!done) co_return answered_already();
  if (!*done) co_return fail(std::move(done->error()));
  co_return json_reply(200, **done);
}

}  // namespace gantry::api
