#include "api/container_log_query.hpp"

#include "api/read.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace gantry::api {
namespace {

constexpr std::uint32_t usual_tail = 1000;
constexpr std::uint32_t tail_max = 10'000'000;

std::unexpected<Error> refuse_parameter(std::string_view name, std::string_view why) {
  return fail(ErrorKind::invalid, "invalid_parameter",
              "parameter '" + std::string{name} + "' " + std::string{why});
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto* end = text.data() + text.size();
  auto [stop, bad] = std::from_chars(text.data(), end, value);
  if (bad != std::errc{} || stop != end) return std::nullopt;
  return value;
}

Result<std::optional<std::uint32_t>> read_tail(Call& call, const LogQuery& query) {
  auto text = call.query.text("tail");
  if (!text) return query.download ? std::optional<std::uint32_t>{} : usual_tail;
  if (*text == "all") return std::optional<std::uint32_t>{};
  auto lines = number<std::uint32_t>(*text);
  if (!lines || *lines > tail_max) {
    return refuse_parameter("tail", "must be 'all' or a number of lines up to 10000000");
  }
  return lines;
}

Result<> read_stream(Call& call, LogQuery& query) {
  auto stream = call.query.text("stream").value_or("both");
  if (stream != "both" && stream != "stdout" && stream != "stderr") {
    return refuse_parameter("stream", "must be 'stdout', 'stderr' or 'both'");
  }
  query.out = stream != "stderr";
  query.err = stream != "stdout";
  return ok;
}

}  // namespace

Result<std::optional<WallTime>> read_moment(Call& call, std::string_view name) {
  auto text = call.query.text(name);
  if (!text) return std::optional<WallTime>{};
  auto moment = parse_moment(*text, call.services.clock.now());
  if (!moment) {
    return refuse_parameter(name, "must be a time of RFC 3339, or how long ago: 90s, 10m, 2h, 1d");
  }
  return moment;
}

std::optional<WallTime> parse_moment(std::string_view text, WallTime now) {
  constexpr std::array<std::pair<char, int>, 4> units{
      {{'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}}};
  constexpr std::int64_t ago_max = 3'650LL * 86'400;
  if (text.empty()) return std::nullopt;
  for (auto [unit, seconds] : units) {
    if (text.back() != unit) continue;
    auto count = number<std::uint32_t>(text.substr(0, text.size() - 1));
    if (!count || std::int64_t{*count} * seconds > ago_max) return std::nullopt;
    return now - Seconds{std::int64_t{*count} * seconds};
  }
  return parse_rfc3339(text);
}

Result<LogQuery> read_log_query(Call& call) {
  LogQuery query;
  query.timestamps = call.query.boolean("timestamps").value_or(false);
  query.follow = call.query.boolean("follow").value_or(false);
  query.download = call.query.boolean("download").value_or(false);
  if (call.header("Accept").contains("text/event-stream")) query.form = LogQuery::Form::events;
  auto tail = read_tail(call, query);
  if (!tail) return fail(std::move(tail.error()));
  query.tail = *tail;
  auto since = read_moment(call, "since");
  if (!since) return fail(std::move(since.error()));
  query.since = *since;
  auto until = read_moment(call, "until");
  if (!until) return fail(std::move(until.error()));
  query.until = *until;
  if (auto stream = read_stream(call, query); !stream) return fail(std::move(stream.error()));
  if (auto read = call.query.finish(); !read) return fail(read.error());
  if (query.follow && query.until) return refuse_parameter("until", "can not end what is followed");
  if (query.follow && query.download) {
    return refuse_parameter("download", "can not be had of what is followed");
  }
  if (auto id = call.header("Last-Event-ID"); !id.empty() && query.follow) {
    query.after_ns = number<std::int64_t>(id).value_or(0);
    if (query.after_ns < 0) query.after_ns = 0;
    // Nothing of what came meanwhile shall be cut off by a number of lines.
    if (query.after_ns != 0) {
      query.tail.reset();
      query.since = WallTime{Milliseconds{query.after_ns / 1'000'000}};
    }
  }
  return query;
}

}  // namespace gantry::api
