#include "engine/events.hpp"

#include "engine/filters.hpp"
#include "engine/read.hpp"

namespace gantry::engine {
namespace {

Result<Event> event_of(const Doing& doing, std::string_view line) {
  auto value = json::parse(line, json::Keys::tolerant);
  if (!value) return fail(read::malformed(doing, value.error()));
  auto fields = read::fields(*value, "");
  Event event;
  event.type = read::text(fields, "Type");
  event.action = read::text(fields, "Action");
  event.time = read::time_of(read::integer(fields, "time"));
  if (const auto* actor = fields.member("Actor")) {
    auto inner = read::fields(*actor, "Actor");
    event.actor_id = read::text(inner, "ID");
    event.attributes = read::text_map(inner, "Attributes");
    if (auto done = inner.finish(); !done) fields.adopt(done.error());
  }
  if (auto done = fields.finish(); !done) return fail(read::malformed(doing, done.error()));
  return event;
}

}  // namespace

async::task<std::optional<Event>> EventStream::next() {
  auto line = co_await lines_.next(Milliseconds{0});
  if (!line) co_return std::nullopt;
  co_return value_or_throw(event_of({"follow", "the engine's events", ""}, *line));
}

async::task<Result<EventStream>> follow_events(Client& client, EventFilter filter) {
  Request request;
  request.doing = {"follow", "the engine's events", ""};
  request.path = {"events"};
  std::vector<std::pair<std::string, std::vector<std::string>>> wanted;
  if (!filter.types.empty()) wanted.emplace_back("type", std::move(filter.types));
  if (!filter.labels.empty()) wanted.emplace_back("label", std::move(filter.labels));
  if (!wanted.empty()) request.query.emplace_back("filters", filters(wanted));
  auto response = co_await client.stream(std::move(request));
  if (!response) co_return fail(std::move(response.error()));
  co_return EventStream{std::move(*response)};
}

}  // namespace gantry::engine
