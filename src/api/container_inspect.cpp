#include "api/container_json.hpp"
#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "base/text.hpp"
#include "engine/containers.hpp"

// Looking at one container: its settings, its processes, its changed files.
namespace gantry::api {
namespace {

constexpr std::size_t changes_max = 20'000;

/// Reading what is masked is a right of its own, and leaves a trace before it happens.
async::task<Result<Masking>> masking_for(Call& call, const FoundContainer& container, bool unmask) {
  if (!unmask) co_return Masking::masked;
  if (!may_unmask(call, container)) {
    co_return fail(ErrorKind::denied, "unmask_missing",
                   "cannot show what is masked: that takes the right 'unmask'",
                   "ask an admin for it, or leave out 'unmask'");
  }
  auto noted = co_await call.services.operations.note({.actor = fleet::actor_of(*call.identity),
                                                       .host = container.host->name(),
                                                       .action = "container.unmask",
                                                       .object = container.name,
                                                       .parameters = {{"id", container.id}}});
  if (!noted) co_return fail(std::move(noted.error()));
  co_return Masking::shown;
}

std::string_view word(engine::PathChange::Kind kind) {
  switch (kind) {
    case engine::PathChange::Kind::modified:
      return "modified";
    case engine::PathChange::Kind::added:
      return "added";
    case engine::PathChange::Kind::removed:
      return "removed";
  }
  return {};
}

}  // namespace

Answer get_container(Call& call) {
  bool unmask = call.query.boolean("unmask").value_or(false);
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto container = co_await container_for(call, access::Role::viewer);
  if (!container) co_return fail(std::move(container.error()));
  auto masking = co_await masking_for(call, *container, unmask);
  if (!masking) co_return fail(std::move(masking.error()));
  auto details = co_await engine::inspect_container(container->host->engine(), container->id);
  if (!details) co_return fail(std::move(details.error()));
  auto json = container_details_json(*details, *masking);
  json["host"] = container->host->name();
  co_return json_reply(200, json);
}

Answer get_container_processes(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto container = co_await container_for(call, access::Role::viewer);
  if (!container) co_return fail(std::move(container.error()));
  auto table = co_await engine::container_top(container->host->engine(), container->id);
  if (!table) co_return fail(std::move(table.error()));
  co_return json_reply(200, container_processes_json(*table));
}

Answer get_container_changes(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto container = co_await container_for(call, access::Role::viewer);
  if (!container) co_return fail(std::move(container.error()));
  auto changes = co_await engine::container_changes(container->host->engine(), container->id);
  if (!changes) co_return fail(std::move(changes.error()));
  json::Array items;
  for (const auto& change : *changes) {
    if (items.size() == changes_max) break;
    items.push_back(json::Object{{"path", text::shortened(text::one_line(change.path), 4096)},
                                 {"change", word(change.kind)}});
  }
  bool cut = items.size() < changes->size();
  co_return json_reply(
      200,
      json::Object{{"items", std::move(items)}, {"truncated", cut}, {"total", changes->size()}});
}

}  // namespace gantry::api
