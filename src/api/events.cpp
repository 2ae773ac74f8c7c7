#include "api/container_follow.hpp"
#include "api/event_telling.hpp"
#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "async/deadline.hpp"
#include "fleet/fleet.hpp"

#include <fmt/format.h>

// What happens on the hosts, as server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
namespace gantry::api {
namespace {

constexpr std::size_t filter_max = 32;
constexpr std::size_t cursor_max = 64;
/// What comes within this is told at once.
constexpr Milliseconds gather{50};
/// How soon a stream notices that its reader may not read any more.
constexpr Milliseconds look_up{2'000};
constexpr int looks_per_heartbeat = 7;

std::string frame(std::string_view cursor, std::string_view name, const json::Object& data) {
  return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", cursor, name, json_text(data));
}

/// Where the follower was: by the header that browsers send when they come back, or from now on.
/// What is left of another run of the server is told as a gap.
struct Beginning {
  std::uint64_t number;
  enum class Gap { none, other_run } gap = Gap::none;
};
Result<Beginning> beginning(Call& call) {
  const auto& log = call.services.fleet.events();
  auto cursor = call.header("Last-Event-ID");
  if (cursor.empty()) return Beginning{log.last()};
  if (cursor.size() > cursor_max) {
    return fail(json::field_error("Last-Event-ID", "must be the id of an event"));
  }
  auto number = log.parse_cursor(cursor);
  // Everything that is still known has happened since.
  return number ? Beginning{*number} : Beginning{0, Beginning::Gap::other_run};
}

/// Waits until there may be something to tell and a little more, or else for a while.
async::task<void> wait_for_some(fleet::EventLog& log, const EventTelling& telling) {
  if (!telling.behind()) co_await async::race(log.changed(), async::pause(look_up));
  if (telling.behind()) co_await async::pause(gather);
}

std::string mark(const fleet::EventLog& log, const EventTelling& telling) {
  return fmt::format("id: {}\n:\n\n", log.cursor(telling.number()));
}

/// Answers why it ends.
async::task<std::string_view> stream(Call& call, EventTelling telling, Beginning from) {
  auto& log = call.services.fleet.events();
  if (from.gap == Beginning::Gap::other_run) {
    co_await call.exchange.send(
        frame(log.cursor(from.number), "gap", gap_json("server_restarted")));
  } else {
    co_await call.exchange.send(mark(log, telling));
  }
  int silent_looks = 0;
  while (call.services.access.still_valid(*call.identity)) {
    auto winner = co_await async::race(wait_for_some(log, telling), call.exchange.server_closing());
    if (winner == async::Winner::second) co_return server_stopping;
    if (!telling.behind()) {
      // With where they are: what was not for them need not be looked at again.
      if (++silent_looks % looks_per_heartbeat == 0)
        co_await call.exchange.send(mark(log, telling));
      continue;
    }
    std::string frames;
    for (const auto& told : telling.next()) {
      frames += frame(log.cursor(told.number), told.name, told.data);
    }
    if (frames.empty()) continue;
    silent_looks = 0;
    co_await call.exchange.send(std::move(frames));
  }
  co_return not_allowed;
}

async::task<void> follow(Call& call, EventTelling telling, Beginning from) {
  auto reason = co_await stream(call, std::move(telling), from);
  co_await call.exchange.send(end_frame(reason));
  co_await call.exchange.finish_stream();
}

}  // namespace

Answer follow_host_events(Call& call) {
  EventFilter filter{.hosts = call.query.texts("host", filter_max),
                     .types = call.query.texts("type", filter_max),
                     .actions = call.query.texts("action", filter_max)};
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  auto from = beginning(call);
  if (!from) co_return fail(std::move(from.error()));
  net::http::ResponseHead head{.status = 200, .headers = {{"Content-Type", "text/event-stream"}}};
  add_security_headers(head.headers);
  co_await call.exchange.begin_stream(std::move(head));
  EventTelling telling{call, std::move(filter), from->number};
  co_await until_peer_gone(call, follow(call, std::move(telling), *from));
  co_return answered_already();
}

}  // namespace gantry::api
