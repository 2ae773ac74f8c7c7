#include "fleet/project_logs.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace gantry::fleet {
namespace {

constexpr std::size_t line_max = 1U << 20U;
constexpr Milliseconds history_silence_max{30'000};
constexpr Milliseconds look_again{1'000};
constexpr Milliseconds gather{50};
constexpr std::size_t ahead_max = 1'024;
constexpr std::size_t batch_max = 1'000;
constexpr std::size_t followed_max = 256;

std::size_t place_of(engine::Output output) { return output == engine::Output::out ? 0 : 1; }

/// By time, else as they came. std::stable_sort asks for memory in a way that is deprecated.
std::vector<LogFollower::Line> in_order(std::vector<LogFollower::Line> lines) {
  std::vector<std::size_t> places(lines.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::ranges::sort(places, [&](std::size_t a, std::size_t b) {
    return std::tie(lines[a].line.at_ns, a) < std::tie(lines[b].line.at_ns, b);
  });
  std::vector<LogFollower::Line> sorted;
  sorted.reserve(lines.size());
  for (auto place : places) sorted.push_back(std::move(lines[place]));
  return sorted;
}

}  // namespace

void LineJoiner::add(engine::Output output, std::int64_t at_ns, std::string_view text) {
  auto& begun = begun_[place_of(output)];
  if (begun.text.empty()) begun.at_ns = at_ns;
  for (;;) {
    auto end = text.find('\n');
    begun.text += text.substr(0, end);
    if (end == std::string_view::npos) break;
    close(output);
    begun.at_ns = at_ns;
    text.remove_prefix(end + 1);
    if (text.empty()) return;
  }
  if (begun.text.size() > line_max) close(output);
}

void LineJoiner::add(const LogBatch& batch) {
  for (const auto& entry : batch.entries) add(entry.output, entry.at_ns, batch.text(entry));
}

void LineJoiner::close(engine::Output output) {
  auto& begun = begun_[place_of(output)];
  if (begun.text.ends_with('\r')) begun.text.pop_back();
  lines_.push_back({begun.at_ns, output, std::exchange(begun.text, {})});
}

void LineJoiner::finish() {
  for (auto output : {engine::Output::out, engine::Output::err}) {
    if (!begun_[place_of(output)].text.empty()) close(output);
  }
}

std::optional<LogLine> LineJoiner::next() {
  if (lines_.empty()) return std::nullopt;
  auto line = std::move(lines_.front());
  lines_.pop_front();
  return line;
}

MergedHistory::MergedHistory(std::shared_ptr<Host> host, LogRoom::Place place,
                             std::vector<LogSource> sources, engine::LogOptions options)
    : host_{std::move(host)},
      place_{std::move(place)},
      sources_{std::move(sources)},
      options_{std::move(options)} {
  options_.follow = engine::Follow::no;
  options_.timestamps = true;
}

async::task<void> MergedHistory::open() {
  opened_ = true;
  heads_.resize(sources_.size());
  for (std::size_t i = 0; i < sources_.size(); ++i) co_await open(sources_[i], heads_[i]);
}

async::task<void> MergedHistory::open(const LogSource& source, Head& head) {
  auto gone = [](const Error& error) { return error.kind == ErrorKind::not_found; };
  auto details = co_await engine::inspect_container(host_->engine(), source.id);
  if (!details && gone(details.error())) co_return;
  if (!details) throw Failure{details.error()};
  auto framing = details->settings.tty ? engine::Framing::raw : engine::Framing::multiplexed;
  auto stream = co_await engine::container_logs(host_->engine(), source.id, framing, options_);
  if (!stream && gone(stream.error())) co_return;
  if (!stream) throw Failure{stream.error()};
  head.stream.emplace(std::move(*stream));
  head.splitter.emplace(framing);
  co_await advance(head);
}

async::task<void> MergedHistory::advance(Head& head) {
  while (!(head.line = head.lines.next()) && head.stream) {
    bool more = co_await head.stream->more(history_silence_max);
    while (auto view = more ? head.stream->take() : std::nullopt) head.splitter->feed(*view);
    if (!more) head.splitter->finish();
    head.lines.add(head.splitter->take());
    if (more) continue;
    head.lines.finish();
    head.stream.reset();
  }
}

async::task<std::optional<MergedLine>> MergedHistory::next() {
  if (!opened_) co_await open();
  Head* first = nullptr;
  for (auto& head : heads_) {
    if (!head.line) continue;
    if (first == nullptr || head.line->at_ns < first->line->at_ns) first = &head;
  }
  if (first == nullptr) co_return std::nullopt;
  auto place = static_cast<std::size_t>(first - heads_.data());
  MergedLine line{.source = place, .line = std::move(*first->line)};
  co_await advance(*first);
  co_return line;
}

LogFollower::LogFollower(const async::Executor& executor, LogHub& hub, std::shared_ptr<Host> host,
                         Sources sources, std::optional<WallTime> since)
    : hub_{hub},
      host_{std::move(host)},
      sources_{std::move(sources)},
      since_{since},
      lines_{executor, ahead_max},
      followers_{executor} {}

void LogFollower::seen(const std::string& container, std::int64_t at_ns) {
  seen_[container] = at_ns;
}

async::task<void> LogFollower::run() { co_await async::finally(look(), followers_.close()); }

async::task<void> LogFollower::look() {
  for (;;) {
    for (auto& source : sources_()) {
      if (followed_.size() == followed_max) break;
      if (!followed_.insert(source.id).second) continue;
      followers_.spawn("following a log of a project", follow(std::move(source)));
    }
    co_await async::pause(look_again);
  }
}

async::task<void> LogFollower::follow(LogSource source) {
  auto id = source.id;
  // Whoever looks next sees whether the container still runs, or the host is back.
  co_await async::attempt(read(std::move(source)));
  followed_.erase(id);
}

async::task<void> LogFollower::read(LogSource source) {
  auto& seen = seen_[source.id];
  auto since = since_;
  if (seen != 0) {
    since = WallTime{std::chrono::floor<Milliseconds>(std::chrono::nanoseconds{seen})};
  }
  auto follower = co_await hub_.follow(host_, source.id, {.since = since, .after_ns = seen});
  if (!follower) co_return;
  LineJoiner lines;
  while (auto news = co_await (*follower)->next()) {
    for (const auto& batch : news->batches) {
      lines.add(*batch);
      if (!batch->entries.empty()) seen = std::max(seen, batch->entries.back().at_ns);
    }
    while (auto line = lines.next()) co_await lines_.send({source, std::move(*line)});
  }
  lines.finish();
  while (auto line = lines.next()) co_await lines_.send({source, std::move(*line)});
}

async::task<std::vector<LogFollower::Line>> LogFollower::take(Milliseconds patience) {
  std::vector<Line> lines;
  if (lines_.size() == 0) {
    auto first = co_await async::attempt(
        async::with_deadline(patience, "waiting for a line", lines_.receive()));
    if (!first || !*first) co_return lines;
    lines.push_back(std::move(**first));
    co_await async::pause(gather);
  }
  while (lines_.size() != 0 && lines.size() < batch_max) {
    lines.push_back(std::move(*co_await lines_.receive()));
  }
  co_return in_order(std::move(lines));
}

}  // namespace gantry::fleet
