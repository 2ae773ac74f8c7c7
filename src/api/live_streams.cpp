#include "api/container_json.hpp"
#include "api/event_telling.hpp"
#include "api/execution_json.hpp"
#include "api/host_access.hpp"
#include "api/live.hpp"
#include "async/deadline.hpp"
#include "fleet/fleet.hpp"
#include "fleet/log_hub.hpp"
#include "fleet/stats_hub.hpp"

#include <utility>

#include <fmt/format.h>

// Events, logs and statistics, for live channels.
namespace gantry::api {
namespace {

constexpr Milliseconds gather{50};
constexpr std::uint32_t usual_tail = 200;
/// Of a log in one message.
constexpr std::size_t text_max = 48U << 10U;

/// Throws what they would be told who ask for it now.
void check_still_visible(Call& call, const FoundContainer& container) {
  if (role_on(call, *container.host, container.project)) return;
  throw Failure{{ErrorKind::not_found, "no_such_container",
                 fmt::format("cannot find container '{}'", container.name),
                 "list the containers you may see with 'gantry ps'"}};
}

async::task<FoundContainer> container_of(Call& call, const LiveWish& wish) {
  auto found = co_await find_container(call, wish.host, wish.container, access::Role::viewer);
  co_return value_or_throw(std::move(found));
}

json::Object line_json(const fleet::LogBatch& batch, const fleet::LogEntry& entry) {
  auto line = output_json(batch.text(entry));
  line["stream"] = entry.output == engine::Output::out ? "stdout" : "stderr";
  line["at"] = entry.at_ns == 0 ? json::Value(nullptr)
                                : json::Value(fleet::rfc3339_nanoseconds(entry.at_ns));
  return line;
}

async::task<void> tell_batch(const fleet::LogBatch& batch, const LiveWish& wish, LiveOutbox& out) {
  json::Array lines;
  std::size_t size = 0;
  for (const auto& entry : batch.entries) {
    lines.push_back(line_json(batch, entry));
    size += entry.size;
    bool last = &entry == &batch.entries.back();
    if (size < text_max && !last) continue;
    co_await out.tell(wish.topic, "logs", {{"lines", std::exchange(lines, {})}});
    size = 0;
  }
}

/// Where the wish says, or from now on; anything else is told as a gap.
async::task<std::uint64_t> beginning(Call& call, const LiveWish& wish, LiveOutbox& out) {
  const auto& log = call.services.fleet.events();
  if (!wish.after) co_return log.last();
  auto number = log.parse_cursor(*wish.after);
  if (number) co_return *number;
  co_await out.tell(wish.topic, "gap", gap_json("server_restarted"));
  co_return 0;
}

}  // namespace

async::task<void> tell_events(Call& call, const LiveWish& wish, LiveOutbox& out) {
  auto& log = call.services.fleet.events();
  EventTelling telling{call, {}, co_await beginning(call, wish, out)};
  for (;;) {
    while (!telling.behind()) co_await log.changed();
    co_await async::pause(gather);
    json::Array items;
    for (auto& told : telling.next()) {
      if (told.name == "gap") {
        co_await out.tell(wish.topic, "gap", std::move(told.data));
      } else {
        items.push_back(std::move(told.data));
      }
    }
    if (items.empty()) continue;
    co_await out.tell(wish.topic, "events",
                      {{"cursor", log.cursor(telling.number())}, {"items", std::move(items)}});
  }
}

async::task<void> tell_logs(Call& call, const LiveWish& wish, LiveOutbox& out) {
  auto container = co_await container_of(call, wish);
  auto tail = wish.tail ? static_cast<std::uint32_t>(*wish.tail) : usual_tail;
  auto follower = value_or_throw(
      co_await call.services.logs.follow(container.host, container.id, {.tail = tail}));
  while (auto news = co_await follower->next()) {
    check_still_visible(call, container);
    if (news->dropped_entries != 0) {
      co_await out.tell(wish.topic, "dropped",
                        {{"lines", news->dropped_entries}, {"bytes", news->dropped_bytes}});
    }
    for (const auto& batch : news->batches) co_await tell_batch(*batch, wish, out);
  }
}

async::task<void> tell_stats(Call& call, const LiveWish& wish, LiveOutbox& out) {
  auto container = co_await container_of(call, wish);
  auto watcher = value_or_throw(co_await call.services.stats.watch(container.host, container.id));
  while (auto stats = co_await watcher->next()) {
    check_still_visible(call, container);
    co_await out.tell(wish.topic, "stats", {{"stats", container_stats_json(*stats)}});
  }
}

}  // namespace gantry::api
