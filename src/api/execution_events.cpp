#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/json_text.hpp"
#include "api/telling.hpp"

#include <fmt/format.h>

// What happens in an execution, as server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
namespace gantry::api {
namespace {

using executions::Happening;
using Follower = executions::Executions::Follower;

/// A comment goes out after so many silent looks, so that nobody in between hangs up.
constexpr int looks_per_heartbeat = 7;

/// A happening as the frames of its telling.
std::string frames_of(Telling& telling, const Happening& happening, const std::string& message) {
  std::string frames;
  for (const auto& [name, data] : telling.of(happening, message)) {
    frames += fmt::format("event: {}\ndata: {}\n\n", name, json_text(data));
  }
  return frames;
}

async::task<void> stream(Call& call, Follower& follower) {
  Telling telling{follower};
  int silent_looks = 0;
  while (call.services.access.still_valid(*call.identity)) {
    auto seen = co_await look(call, follower);
    if (seen.ended) break;
    if (!seen.happening) {
      if (++silent_looks % looks_per_heartbeat == 0) co_await call.exchange.send(":\n\n");
      continue;
    }
    silent_looks = 0;
    auto message = told_message(call, follower.record());
    auto work = [&] { return frames_of(telling, *seen.happening, message); };
    auto frames = co_await compute(call, telling.weight(*seen.happening), work);
    // Who reads slowly may not make the server hold any amount for them: they may come back.
    if (!call.exchange.hold(Bytes{frames.size()})) break;
    if (!frames.empty()) co_await call.exchange.send(std::move(frames));
    call.exchange.let_go();
  }
  co_await call.exchange.finish_stream();
}

}  // namespace

Answer get_execution_events(Call& call) {
  auto cancel = read_cancel_on_disconnect(call);
  if (!cancel) co_return fail(std::move(cancel.error()));
  executions::ExecutionId id{call.id};
  auto follower = co_await call.services.executions.follow(id, call.reach());
  if (!follower) co_return fail(std::move(follower.error()));
  net::http::ResponseHead head{.status = 200, .headers = {{"Content-Type", "text/event-stream"}}};
  add_security_headers(head.headers);
  co_await call.exchange.begin_stream(std::move(head));
  auto winner = co_await async::race(stream(call, *follower), call.exchange.peer_gone());
  call.abandoned = winner == async::Winner::second;
  // It may have ended in this moment, which is as well.
  if (call.abandoned && *cancel) (void)co_await call.services.executions.cancel(id, call.reach());
  co_return answered_already();
}

}  // namespace gantry::api
