#include "api/handlers.hpp"
#include "api/terminals_json.hpp"
#include "base/text.hpp"
#include "fleet/operations.hpp"
#include "fleet/recordings.hpp"

#include <fmt/format.h>

// What was shown in terminals: readable by a right of its own, and every reading leaves a trace.
namespace gantry::api {
namespace {

constexpr int page_usual = 50;
constexpr int page_max = 500;
/// Where somebody may see few of many, not all of them are looked through at once.
constexpr int looked_through_max = 2'000;

bool may_read(const Call& call, const fleet::Recording& recording) {
  auto host = call.services.fleet.find(fleet::HostId{recording.host_id});
  auto rights = call.rights();
  // Another host may be called so today: of one that is gone nobody's grants tell anything.
  if (!host && rights.restricted()) return false;
  auto name = host ? host->name() : recording.host;
  auto groups = host ? host->config().groups : std::vector<std::string>{};
  return rights.role_on(name, groups, recording.project).has_value() &&
         rights.has(access::Extra::recordings, name, groups, recording.project);
}

Error no_such_recording(const Call& call) {
  return {ErrorKind::not_found, "no_such_recording",
          fmt::format("cannot find recording '{}'", text::one_line(call.id)),
          "list the recordings: it may have been removed"};
}

async::task<Result<fleet::Recording>> readable(Call& call) {
  if (auto query = call.query.finish(); !query) co_return fail(query.error());
  auto recording = co_await call.services.recordings.find(fleet::RecordingId{call.id});
  if (!recording || !may_read(call, *recording)) co_return fail(no_such_recording(call));
  co_return std::move(*recording);
}

fleet::Operation operation_on(const Call& call, const fleet::Recording& recording,
                              std::string action) {
  return {.actor = fleet::actor_of(*call.identity),
          .host = recording.host,
          .action = std::move(action),
          .object = recording.id.text(),
          .parameters = {{"container", recording.container}, {"user", recording.user}}};
}

async::task<void> send_all(Call& call, fleet::RecordingReader& reader) {
  for (;;) {
    auto piece = co_await reader.next();
    if (piece.empty()) co_return;
    co_await call.exchange.send(std::move(piece));
  }
}

}  // namespace

Answer list_recordings(Call& call) {
  auto limit = call.query.integer("limit", 1, page_max).value_or(page_usual);
  auto before = call.query.text("cursor").value_or("");
  auto host = call.query.text("host").value_or("");
  if (auto query = call.query.finish(); !query) co_return fail(query.error());
  json::Array items;
  json::Value next = nullptr;
  for (int looked = 0; looked < looked_through_max; looked += page_max) {
    auto page = co_await call.services.recordings.list(page_max, before, host);
    for (const auto& recording : page) {
      if (static_cast<int>(items.size()) == limit) break;
      before = recording.id.text();
      if (may_read(call, recording)) items.push_back(recording_json(recording));
    }
    bool all_seen = page.empty() ||
                    (static_cast<int>(page.size()) < page_max && page.back().id.text() == before);
    next = all_seen ? json::Value(nullptr) : json::Value(before);
    if (all_seen || static_cast<int>(items.size()) == limit) break;
  }
  co_return json_reply(200, json::Object{{"items", std::move(items)}, {"next", std::move(next)}});
}

Answer get_recording(Call& call) {
  auto recording = co_await readable(call);
  if (!recording) co_return fail(std::move(recording.error()));
  auto noted =
      co_await call.services.operations.note(operation_on(call, *recording, "recording.read"));
  if (!noted) co_return fail(std::move(noted.error()));
  auto reader = co_await call.services.recordings.open(recording->id);
  if (!reader) co_return fail(std::move(reader.error()));
  net::http::ResponseHead head{.status = 200, .headers = {}};
  head.headers.set("Content-Type", "application/x-asciicast");
  head.headers.set("Content-Disposition",
                   fmt::format("attachment; filename=\"{}.cast\"", recording->id.text()));
  add_security_headers(head.headers);
  co_await call.exchange.begin_stream(std::move(head));
  co_await send_all(call, *reader);
  co_await call.exchange.finish_stream();
  co_return answered_already();
}

Answer remove_recording(Call& call) {
  auto recording = co_await readable(call);
  if (!recording) co_return fail(std::move(recording.error()));
  auto removed =
      co_await call.services.operations.run(operation_on(call, *recording, "recording.remove"),
                                            call.services.recordings.remove(recording->id));
  if (!removed) co_return fail(std::move(removed.error()));
  co_return no_content();
}

}  // namespace gantry::api
