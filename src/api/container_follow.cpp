#include "api/container_follow.hpp"

#include "api/json_text.hpp"

#include <fmt/format.h>

namespace gantry::api {

bool may_still_see(const Call& call, const FoundContainer& container) {
  return call.services.access.still_valid(*call.identity) &&
         role_on(call, *container.host, container.project).has_value();
}

async::task<void> begin_events(Call& call) {
  net::http::ResponseHead head{.status = 200, .headers = {{"Content-Type", "text/event-stream"}}};
  add_security_headers(head.headers);
  co_await call.exchange.begin_stream(std::move(head));
}

std::string event_frame(std::string_view name, const json::Value& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, json_text(data));
}

std::string end_frame(std::string_view reason) {
  return event_frame("end", json::Object{{"reason", reason}});
}

async::task<bool> send_held(Call& call, std::string piece) {
  if (piece.empty()) co_return true;
  if (!call.exchange.hold(Bytes{piece.size()})) co_return false;
  co_await call.exchange.send(std::move(piece));
  call.exchange.let_go();
  co_return true;
}

async::task<void> until_peer_gone(Call& call, async::task<void> work) {
  auto winner = co_await async::race(std::move(work), call.exchange.peer_gone());
  call.abandoned = winner == async::Winner::second;
}

}  // namespace gantry::api
