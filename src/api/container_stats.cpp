#include "api/container_follow.hpp"
#include "api/container_json.hpp"
#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "fleet/stats_hub.hpp"

#include <fmt/format.h>

// What a container uses: one reading, or one a second for as long as somebody looks.
namespace gantry::api {
namespace {

using Watcher = fleet::StatsHub::Watcher;

/// An engine needs two seconds for its first two readings.
constexpr Milliseconds first_reading_max{15'000};
/// A comment goes out after so many silent looks.
constexpr int looks_per_heartbeat = 7;

std::unexpected<Error> not_running(const FoundContainer& container) {
  return fail(ErrorKind::conflict, "container_not_running",
              fmt::format("cannot watch container '{}' on '{}': it does not run", container.name,
                          container.host->name()),
              "start it first");
}

/// Answers why it ends.
async::task<std::string_view> tell(Call& call, const FoundContainer& container, Watcher& watcher) {
  int silent = 0;
  while (may_still_see(call, container)) {
    auto seen = co_await glance(call, watcher.next());
    if (seen.closing) co_return server_stopping;
    if (seen.ended) co_return "not_running";
    if (seen.news) {
      silent = 0;
      co_await call.exchange.send(event_frame("stats", container_stats_json(*seen.news)));
    } else if (++silent % looks_per_heartbeat == 0) {
      co_await call.exchange.send(":\n\n");
    }
  }
  co_return not_allowed;
}

async::task<void> stream(Call& call, const FoundContainer& container, Watcher& watcher) {
  auto told = co_await async::attempt(tell(call, container, watcher));
  if (!told) {
    auto error = told_error(call, container.host->name(), told.error());
    co_await call.exchange.send(event_frame("error", error_json(error)));
  } else {
    co_await call.exchange.send(end_frame(*told));
  }
  co_await call.exchange.finish_stream();
}

}  // namespace

Answer get_container_stats(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto container = co_await container_for(call, access::Role::viewer);
  if (!container) co_return fail(std::move(container.error()));
  auto watcher = co_await call.services.stats.watch(container->host, container->id);
  if (!watcher) co_return fail(std::move(watcher.error()));
  if (call.header("Accept").contains("text/event-stream")) {
    co_await begin_events(call);
    co_await until_peer_gone(call, stream(call, *container, **watcher));
    co_return answered_already();
  }
  auto reading = co_await async::with_deadline(first_reading_max, "reading a container's use",
                                               (*watcher)->next());
  if (!reading) co_return not_running(*container);
  co_return json_reply(200, container_stats_json(*reading));
}

}  // namespace gantry::api
