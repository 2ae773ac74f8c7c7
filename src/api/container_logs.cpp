#include "api/container_follow.hpp"
#include "api/container_log_query.hpp"
#include "api/execution_json.hpp"
#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/json_text.hpp"
#include "async/attempt.hpp"
#include "engine/containers.hpp"
#include "fleet/log_hub.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

// What a container has written and writes: as plain text, or as server-sent events.
namespace gantry::api {
namespace {

using Follower = fleet::LogHub::Follower;
using fleet::LogBatch;
using fleet::LogEntry;
using fleet::LogNews;

constexpr Milliseconds engine_silence_max{60'000};
constexpr int looks_per_heartbeat = 7;
constexpr std::string_view all_told = "ended";
/// So much of one output goes into one event.
constexpr std::size_t event_max = 48U << 10U;

bool is_wanted(const LogEntry& entry, const LogQuery& query) {
  return entry.output == engine::Output::out ? query.out : query.err;
}

void append(std::string& text, const LogBatch& batch, const LogEntry& entry,
            const LogQuery& query) {
  if (query.timestamps && entry.at_ns != 0) {
    text.append(fleet::rfc3339_nanoseconds(entry.at_ns)).append(" ");
  }
  text.append(batch.text(entry));
}

std::string plain_text(const LogBatch& batch, const LogQuery& query) {
  std::string text;
  for (const auto& entry : batch.entries) {
    if (is_wanted(entry, query)) append(text, batch, entry, query);
  }
  return text;
}

/// Entries of one output that follow each other, as one event.
std::string output_frame(const LogEntry& last, const std::string& text) {
  auto name = last.output == engine::Output::out ? "stdout" : "stderr";
  auto frame = event_frame(name, output_json(text));
  // By this a client says where it was, and goes on there.
  return last.at_ns == 0 ? frame : fmt::format("id: {}\n{}", last.at_ns, frame);
}

std::string frames(const LogBatch& batch, const LogQuery& query) {
  std::string out;
  std::string text;
  const LogEntry* last = nullptr;
  for (const auto& entry : batch.entries) {
    if (!is_wanted(entry, query)) continue;
    bool full = last != nullptr && (entry.output != last->output || text.size() >= event_max);
    if (full) {
      out += output_frame(*last, text);
      text.clear();
    }
    last = &entry;
    append(text, batch, entry, query);
  }
  if (last != nullptr) out += output_frame(*last, text);
  return out;
}

/// Made once for all who follow both outputs.
std::shared_ptr<const std::string> shared_frames(const LogBatch& batch, const LogQuery& query) {
  if (!query.out || !query.err) {
    return std::make_shared<const std::string>(frames(batch, query));
  }
  auto& shown = batch.shown[query.timestamps ? 1 : 0];
  if (!shown) shown = std::make_shared<const std::string>(frames(batch, query));
  return shown;
}

async::task<void> send_news(Call& call, const LogNews& news, const LogQuery& query) {
  bool events = query.form == LogQuery::Form::events;
  if (news.dropped_entries != 0 && events) {
    json::Object dropped{{"lines", news.dropped_entries}, {"bytes", news.dropped_bytes}};
    co_await call.exchange.send(event_frame("dropped", dropped));
  } else if (news.dropped_entries != 0) {
    co_await call.exchange.send(fmt::format(
        "[{} lines were dropped: they came faster than they were read]\n", news.dropped_entries));
  }
  for (const auto& batch : news.batches) {
    auto piece = events ? *shared_frames(*batch, query) : plain_text(*batch, query);
    if (!co_await send_held(call, std::move(piece))) {
      throw Failure{{ErrorKind::exhausted, "server_full",
                     "cannot go on with the log: other requests leave no room for it",
                     "try again later"}};
    }
  }
}

/// The past comes by itself; of what is still to be written one looks away at times.
async::task<Glance<LogNews>> next_news(Call& call, Follower& follower) {
  if (!follower.in_past()) co_return co_await glance(call, follower.next());
  co_return Glance<LogNews>{.news = co_await follower.past()};
}

/// Answers why it ends.
async::task<std::string_view> tell(Call& call, const FoundContainer& container, Follower& follower,
                                   const LogQuery& query) {
  bool events = query.form == LogQuery::Form::events;
  int silent = 0;
  while (may_still_see(call, container)) {
    auto seen = co_await next_news(call, follower);
    if (seen.closing) co_return server_stopping;
    if (seen.ended) co_return all_told;
    if (seen.news) {
      silent = 0;
      co_await send_news(call, *seen.news, query);
    } else if (events && ++silent % looks_per_heartbeat == 0) {
      co_await call.exchange.send(":\n\n");
    }
  }
  co_return not_allowed;
}

async::task<void> follow(Call& call, const FoundContainer& container, Follower& follower,
                         const LogQuery& query) {
  auto told = co_await async::attempt(tell(call, container, follower, query));
  bool text = query.form == LogQuery::Form::text;
  if (!told && text) throw Failure{told.error()};
  // Text can not say that it is not whole, but by having no end.
  if (text && *told != all_told) co_return;
  if (!told) {
    auto error = told_error(call, container.host->name(), told.error());
    co_await call.exchange.send(event_frame("error", error_json(error)));
  } else if (!text) {
    co_await call.exchange.send(end_frame(*told));
  }
  co_await call.exchange.finish_stream();
}

/// What there is, without anything that is still to come: straight from the engine.
/// Left unfinished when they may not see it any more.
async::task<void> copy(Call& call, const FoundContainer& container, engine::OutputStream& output) {
  while (co_await output.more(engine_silence_max)) {
    if (!may_still_see(call, container)) co_return;
    std::string piece;
    while (auto view = output.take()) piece += view->bytes;
    if (!piece.empty()) co_await call.exchange.send(std::move(piece));
  }
  co_await call.exchange.finish_stream();
}

/// The same as events: the past of the log, as its times tell it.
async::task<void> copy_events(Call& call, const FoundContainer& container,
                              engine::OutputStream& output, engine::Framing framing,
                              const LogQuery& query) {
  fleet::LogSplitter splitter{framing};
  for (bool more = true; more;) {
    more = co_await output.more(engine_silence_max);
    if (!may_still_see(call, container)) co_return;
    while (auto view = more ? output.take() : std::nullopt) splitter.feed(*view);
    if (!more) splitter.finish();
    if (!splitter.empty()) co_await call.exchange.send(frames(splitter.take(), query));
  }
  co_await call.exchange.send(end_frame(all_told));
  co_await call.exchange.finish_stream();
}

/// Only what means nothing in a header, nor in a file's name: the container's is the engine's text.
std::string file_name(std::string name) {
  auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  std::ranges::replace_if(name, std::not_fn(is_plain), '_');
  return name;
}

net::http::ResponseHead head_of(const LogQuery& query, const FoundContainer& container) {
  net::http::ResponseHead head{.status = 200, .headers = {}};
  bool events = query.form == LogQuery::Form::events;
  head.headers.set("Content-Type", events ? "text/event-stream" : "text/plain; charset=utf-8");
  if (query.download) {
    auto file = file_name(fmt::format("{}-{}.log", container.host->name(), container.name));
    head.headers.set("Content-Disposition", fmt::format("attachment; filename=\"{}\"", file));
  }
  add_security_headers(head.headers);
  return head;
}

async::task<Result<>> answer_past(Call& call, const FoundContainer& container,
                                  const LogQuery& query) {
  auto& engine = container.host->engine();
  auto details = co_await engine::inspect_container(engine, container.id);
  if (!details) co_return fail(std::move(details.error()));
  auto framing = details->settings.tty ? engine::Framing::raw : engine::Framing::multiplexed;
  bool events = query.form == LogQuery::Form::events;
  engine::LogOptions options{.tail_lines = query.tail,
                             .since = query.since,
                             .until = query.until,
                             .timestamps = query.timestamps || events,
                             .out = query.out,
                             .err = query.err};
  auto output = co_await engine::container_logs(engine, container.id, framing, std::move(options));
  if (!output) co_return fail(std::move(output.error()));
  co_await call.exchange.begin_stream(head_of(query, container));
  auto copying = events ? copy_events(call, container, *output, framing, query)
                        : copy(call, container, *output);
  co_await until_peer_gone(call, std::move(copying));
  co_return ok;
}

}  // namespace

Answer get_container_logs(Call& call) {
  auto query = read_log_query(call);
  if (!query) co_return fail(std::move(query.error()));
  auto container = co_await container_for(call, access::Role::viewer);
  if (!container) co_return fail(std::move(container.error()));
  if (!query->follow) {
    auto answered = co_await answer_past(call, *container, *query);
    if (!answered) co_return fail(std::move(answered.error()));
    co_return answered_already();
  }
  fleet::LogWish wish{.tail = query->tail, .since = query->since, .after_ns = query->after_ns};
  auto follower =
      co_await call.services.logs.follow(container->host, container->id, std::move(wish));
  if (!follower) co_return fail(std::move(follower.error()));
  co_await call.exchange.begin_stream(head_of(*query, *container));
  co_await until_peer_gone(call, follow(call, *container, **follower, *query));
  co_return answered_already();
}

}  // namespace gantry::api
