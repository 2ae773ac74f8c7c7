#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/text.hpp"
#include "cli/columns.hpp"
#include "cli/copy_stream.hpp"
#include "cli/remote_request.hpp"
#include "cli/retries.hpp"
#include "cli/verb_tables.hpp"

#include <fmt/format.h>

// `gantry events`: what happens on the hosts, until Ctrl-C, and over the server's restarts.
namespace gantry::cli {
namespace {

/// Where somebody is in what happens.
struct Follower {
  Context& context;
  Format format;
  std::string last_id;
  EventParser parser = {};
  Retries retries = {};
  bool was_there = false;
};

std::string text_at(const json::Value& value, std::string_view path) {
  return text::one_line(cell({"", path}, value, WallTime{}));
}

/// `2026-11-22T10:00:00Z local container start web-1 image=nginx`
std::string event_line(const json::Value& value) {
  auto name = text_at(value, "attributes.name");
  // What a volume has for an id is its name, and is not cut.
  auto shown = text_at(value, "type") == "volume" ? Column::Show::text : Column::Show::id;
  auto id = text::one_line(cell({"", "id", shown}, value, WallTime{}));
  auto line = fmt::format("{} {} {} {}", text_at(value, "at"), text_at(value, "host"),
                          text_at(value, "type"), text_at(value, "action"));
  if (!name.empty() || !id.empty()) line += " " + (name.empty() ? id : name);
  if (auto project = text_at(value, "project"); !project.empty()) line += " project=" + project;
  const auto* attributes = member_at(value, "attributes");
  if (attributes == nullptr || !attributes->is_object()) return line + "\n";
  for (const auto& [key, attribute] : attributes->as_object()) {
    if (key == "name" || !attribute.is_string()) continue;
    line += fmt::format(" {}={}", text::one_line(std::string_view{key}),
                        text::one_line(std::string_view{attribute.as_string()}));
  }
  return line + "\n";
}

Result<> show(Follower& follower, const ServerEvent& event) {
  // It is asked for again, whatever it ends for.
  if (event.name == "end") return ok;
  auto value = json::parse(event.data, json::Keys::tolerant);
  if (!value) return fail(value.error());
  auto& terminal = follower.context.terminal;
  if (follower.format == Format::json) {
    terminal.out(json::serialize(json::Object{
                     {"id", event.id}, {"event", event.name}, {"data", std::move(*value)}}) +
                 "\n");
  } else if (event.name == "gap") {
    terminal.say(
        fmt::format("some of what happened is missing here: {}", text_at(*value, "reason")));
  } else {
    terminal.out(event_line(*value));
  }
  return ok;
}

/// Until the stream ends, and why it did.
async::task<Result<>> follow_once(Follower& follower, const ServerAccess& access,
                                  std::string path) {
  // Anew each time: a server that comes back has made itself another local token.
  auto server = ApiClient::open(follower.context, access);
  if (!server) co_return fail(server.error());
  auto stream = co_await (*server)->events("follow events", std::move(path), follower.last_id);
  if (!stream) co_return fail(stream.error());
  follower.was_there = true;
  follower.parser = {};
  auto told =
      co_await each_event_of(*stream, follower.parser, "follow events",
                             [&](const ServerEvent& event) { return show(follower, event); });
  if (!told) co_return fail(told.error());
  co_return fail(ErrorKind::unavailable, "stream_broken",
                 "cannot follow events any further: the server ends them again and again",
                 "look at what stands between here and the server");
}

/// Whether another try may find the server again. One that stops takes its token away.
bool may_pass(const Error& error) {
  return error.kind == ErrorKind::unavailable || error.kind == ErrorKind::exhausted ||
         error.code == "no_token_file";
}

}  // namespace

async::task<Result<int>> run_events(Context& context, RemoteCommand command) {
  auto request = request_of(*command.verb, command.given);
  if (!request) co_return fail(request.error());
  Follower follower{context, command.format, command.text("after")};
  while (true) {
    auto began = steady_now();
    auto followed = co_await async::attempt(follow_once(follower, command.server, request->target));
    if (const auto& id = follower.parser.last_id(); !id.empty()) follower.last_id = id;
    auto lasted = std::chrono::duration_cast<Milliseconds>(steady_now() - began);
    bool again = follower.was_there && may_pass(followed.error());
    auto wait = again ? follower.retries.after(lasted) : std::nullopt;
    if (!wait) co_return fail(in_words_of(*command.verb, followed.error()));
    context.terminal.aside("the server has gone away; trying to find it again");
    co_await async::pause(*wait);
  }
}

}  // namespace gantry::cli
