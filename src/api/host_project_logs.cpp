#include "api/container_follow.hpp"
#include "api/handlers.hpp"
#include "api/host_access.hpp"
#include "api/host_objects.hpp"
#include "api/json_text.hpp"
#include "api/read.hpp"
#include "async/race.hpp"
#include "base/text.hpp"
#include "engine/system.hpp"
#include "fleet/project_logs.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <optional>
#include <utility>

#include <fmt/format.h>

// The logs of all services of a Compose project as one: plain text with the service before every
// line, or server-sent events.
namespace gantry::api {
namespace {

constexpr int tail_max = 10'000;
constexpr Bytes tail_bytes_max{16U << 20U};
constexpr std::size_t chunk_size = 64U << 10U;
constexpr Milliseconds patience{1'000};
constexpr int takes_per_heartbeat = 10;

struct Wish {
  std::optional<std::size_t> tail;
  engine::LogOptions options;
  std::optional<std::string> service;
  bool follow = false;
  bool timestamps = false;
  bool events = false;
};

/// `10m`, `2h`: so long ago; or a time of RFC 3339.
std::optional<WallTime> time_of(std::string_view text, WallTime now) {
  if (auto time = parse_rfc3339(text)) return time;
  constexpr std::array units{std::pair{'s', 1}, std::pair{'m', 60}, std::pair{'h', 3'600},
                             std::pair{'d', 86'400}};
  auto unit = std::ranges::find(units, text.empty() ? ' ' : text.back(),
                                [](const auto& one) { return one.first; });
  std::int64_t count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  bool whole = error == std::errc{} && unit != units.end() && end + 1 == text.data() + text.size();
  if (!whole || count < 0 || count > 1'000'000) return std::nullopt;
  return now - Seconds{count * unit->second};
}

Result<std::optional<WallTime>> read_time(Call& call, std::string_view name) {
  auto text = call.query.text(name);
  if (!text) return std::nullopt;
  auto time = time_of(*text, call.services.clock.now());
  if (time) return time;
  return fail(json::field_error(name, "must be a time like 2026-01-31T12:00:00Z, or 10m"));
}

Result<Wish> read_wish(Call& call) {
  Wish wish;
  wish.events = call.header("Accept").contains("text/event-stream");
  if (auto tail = call.query.integer("tail", 0, tail_max)) {
    wish.tail = static_cast<std::size_t>(*tail);
    wish.options.tail_lines = static_cast<std::uint32_t>(*tail);
  }
  wish.follow = call.query.boolean("follow").value_or(false);
  wish.timestamps = call.query.boolean("timestamps").value_or(false);
  wish.service = call.query.text("service");
  auto since = read_time(call, "since");
  auto until = read_time(call, "until");
  if (auto read = call.query.finish(); !read) return fail(read.error());
  if (!since) return fail(since.error());
  if (!until) return fail(until.error());
  wish.options.since = *since;
  wish.options.until = *until;
  if (wish.follow && wish.options.until) {
    return fail(json::field_error("until", "can not be given with 'follow'"));
  }
  return wish;
}

/// `web-1`, as Compose calls it.
std::string label_of(const fleet::Container& container) {
  auto number = container.labels.find("com.docker.compose.container-number");
  auto service = container.service.value_or(container.name);
  return number ? fmt::format("{}-{}", service, *number) : service;
}

/// Those of the project, by label. `which`: whether it is about those that run alone.
enum class Which { all, running };
std::vector<fleet::LogSource> sources_of(const fleet::Host& host, std::string_view project,
                                         const Wish& wish, Which which) {
  std::vector<fleet::LogSource> out;
  for (const auto& container : host.view().containers) {
    if (container.project != project) continue;
    if (wish.service && container.service != *wish.service) continue;
    if (which == Which::running && container.state != "running") continue;
    out.push_back({container.id, container.name, container.service.value_or(""),
                   text::shortened(text::one_line(label_of(container)), 64)});
  }
  std::ranges::sort(out, {}, &fleet::LogSource::label);
  return out;
}

/// What is not UTF-8 becomes U+FFFD.
std::string readable(const std::string& text) {
  if (text::valid_utf8(text)) return text;
  auto value = value_or_throw(json::parse(text::json_quoted(text), json::Keys::strict));
  return std::string{std::string_view{value.as_string()}};
}

/// Lines as they are told: how wide the labels are is known from the beginning.
class Teller {
 public:
  Teller(const Wish& wish, std::span<const fleet::LogSource> sources) : wish_{wish} {
    for (const auto& source : sources) width_ = std::max(width_, source.label.size());
  }

  std::string told(const fleet::LogSource& source, const fleet::LogLine& line) const {
    auto time = fleet::rfc3339_nanoseconds(line.at_ns);
    if (wish_.events) return event(source, line, time);
    auto stamp = wish_.timestamps ? time + " " : std::string{};
    return fmt::format("{:<{}} | {}{}\n", source.label, width_, stamp, line.text);
  }

 private:
  static std::string event(const fleet::LogSource& source, const fleet::LogLine& line,
                           const std::string& time) {
    json::Object data{
        {"service", line_json(source.service)},
        {"container", json::Object{{"id", source.id}, {"name", line_json(source.name)}}},
        {"time", time},
        {"text", readable(line.text) + "\n"}};
    auto name = line.output == engine::Output::out ? "stdout" : "stderr";
    return fmt::format("event: {}\ndata: {}\n\n", name, json_text(data));
  }

  const Wish& wish_;
  std::size_t width_ = 0;
};

/// One answer while it is sent.
class Stream {
 public:
  Stream(Call& call, std::shared_ptr<fleet::Host> host, Wish wish,
         std::vector<fleet::LogSource> sources, fleet::LogRoom::Place place)
      : call_{call},
        host_{std::move(host)},
        project_{call.part},
        wish_{std::move(wish)},
        sources_{std::move(sources)},
        history_{std::in_place, host_, std::move(place), sources_, wish_.options},
        teller_{wish_, sources_},
        follower_{call.services.executor, call.services.logs, host_,
                  [this] { return sources_of(*host_, project_, wish_, Which::running); },
                  wish_.options.since} {}

  async::task<void> run() {
    co_await tell_history();
    history_.reset();
    // Not whole, and it shows: the stream has no end.
    if (!still_allowed()) co_return;
    co_await flush();
    if (wish_.follow) co_await async::race(tell_news(), follower_.run());
    // Text can not say that it is not whole, but by having no end.
    if (wish_.follow && !wish_.events) co_return;
    if (wish_.events) co_await call_.exchange.send(end_frame(reason_));
    co_await call_.exchange.finish_stream();
  }

 private:
  /// The last of all of them together; without `tail` whatever there is, as it comes.
  async::task<void> tell_history() {
    std::deque<fleet::MergedLine> last;
    std::size_t size = 0;
    while (auto merged = co_await history_->next()) {
      if (!still_allowed()) co_return;
      auto& line = merged->line;
      if (line.at_ns != 0) follower_.seen(sources_[merged->source].id, line.at_ns);
      if (!wish_.tail) {
        co_await add(teller_.told(sources_[merged->source], line));
        continue;
      }
      size += line.text.size();
      last.push_back(std::move(*merged));
      while (last.size() > *wish_.tail || size > tail_bytes_max.count) {
        size -= last.front().line.text.size();
        last.pop_front();
      }
    }
    for (const auto& [source, line] : last) co_await add(teller_.told(sources_[source], line));
  }

  async::task<void> take(std::vector<fleet::LogFollower::Line>& lines) {
    lines = co_await follower_.take(patience);
  }

  /// Containers come and go: it ends with the right to see it, the host or the server alone.
  async::task<void> tell_news() {
    int silent = 0;
    while (still_allowed()) {
      std::vector<fleet::LogFollower::Line> lines;
      auto winner = co_await async::race(take(lines), call_.exchange.server_closing());
      if (winner == async::Winner::second) {
        reason_ = server_stopping;
        co_return;
      }
      for (const auto& [source, line] : lines) co_await add(teller_.told(source, line));
      co_await flush();
      silent = lines.empty() ? silent + 1 : 0;
      // Plain text has no comments: whoever reads that asks a proxy for patience.
      if (silent % takes_per_heartbeat == takes_per_heartbeat - 1 && wish_.events) {
        co_await call_.exchange.send(":\n\n");
      }
    }
    reason_ = host_->ended() ? "ended" : not_allowed;
  }

  bool still_allowed() const {
    return call_.services.access.still_valid(*call_.identity) &&
           role_on(call_, *host_, project_).has_value() && !host_->ended();
  }

  async::task<void> add(std::string text) {
    pending_ += text;
    if (pending_.size() >= chunk_size) co_await flush();
  }
  async::task<void> flush() {
    if (!pending_.empty()) co_await call_.exchange.send(std::exchange(pending_, {}));
  }

  Call& call_;
  std::shared_ptr<fleet::Host> host_;
  std::string project_;
  Wish wish_;
  std::vector<fleet::LogSource> sources_;
  std::optional<fleet::MergedHistory> history_;
  Teller teller_;
  fleet::LogFollower follower_;
  std::string pending_;
  std::string_view reason_ = "ended";  ///< Why it ends.
};

}  // namespace

Answer get_project_logs(Call& call) {
  auto wish = read_wish(call);
  if (!wish) co_return fail(std::move(wish.error()));
  auto host = visible_host(call, call.id);
  if (!host) co_return fail(std::move(host.error()));
  auto hidden = no_such("project", call.part, **host);
  auto may = check_role(call, **host, call.part, access::Role::viewer, hidden);
  if (!may) co_return fail(std::move(may.error()));
  Wish everything;
  if (sources_of(**host, call.part, everything, Which::all).empty()) co_return fail(hidden);
  auto sources = sources_of(**host, call.part, *wish, Which::all);
  if (sources.empty()) {
    co_return fail(json::field_error("service", "must be one of the project's services"));
  }
  auto place = call.services.logs.histories().take((*host)->name(), sources.size());
  if (!place) co_return fail(std::move(place.error()));
  // An engine that is away is an answer, and not an empty log.
  auto answers = co_await engine::ping((*host)->engine());
  (void)answers;
  const auto* type = wish->events ? "text/event-stream" : "text/plain; charset=utf-8";
  net::http::ResponseHead head{.status = 200, .headers = {{"Content-Type", type}}};
  add_security_headers(head.headers);
  Stream stream{call, *host, std::move(*wish), std::move(sources), std::move(*place)};
  co_await call.exchange.begin_stream(std::move(head));
  auto winner = co_await async::race(stream.run(), call.exchange.peer_gone());
  call.abandoned = winner == async::Winner::second;
  co_return answered_already();
}

}  // namespace gantry::api
