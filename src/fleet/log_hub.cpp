#include "fleet/log_hub.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

/// The stream begins with these last entries, so that it overlaps with every past that is read
/// after it was opened.
constexpr std::uint32_t overlap = 64;
constexpr std::size_t batch_max = 256U << 10U;
constexpr Milliseconds past_silence_max{60'000};

std::int64_t nanoseconds_of(WallTime time) { return time.time_since_epoch().count() * 1'000'000; }

}  // namespace

/// One container's log, as it comes from its engine.
struct LogHub::Stream {
  Stream(const async::Executor& executor, Settings its, std::shared_ptr<Host> of, std::string id)
      : settings{its},
        host{std::move(of)},
        container{std::move(id)},
        changed{executor},
        moved{executor},
        dirty{executor},
        stop{executor} {}

  async::task<void> read();
  async::task<void> read_output(engine::OutputStream output);
  async::task<void> tell_now_and_then();
  async::task<void> wait_for_readers();
  void seal();
  bool ahead_of_everybody() const;

  Settings settings;
  std::shared_ptr<Host> host;
  std::string container;
  async::Event changed;  ///< There is more, or the end.
  async::Event moved;    ///< A follower has read on.
  async::Event dirty;
  async::StopSignal stop;

  engine::Framing framing = engine::Framing::multiplexed;
  bool open = false;
  bool ended = false;
  std::optional<Error> failure;
  std::optional<LogSplitter> splitter;
  SteadyTime told{};
  std::deque<std::shared_ptr<const LogBatch>> kept;
  std::uint64_t entries = 0;  ///< Of the whole stream.
  std::uint64_t bytes = 0;
  std::set<Follower*> followers;
};

async::task<void> LogHub::Stream::read() {
  auto details = value_or_throw(co_await engine::inspect_container(host->engine(), container));
  framing = details.settings.tty ? engine::Framing::raw : engine::Framing::multiplexed;
  splitter.emplace(framing);
  engine::LogOptions options{
      .follow = engine::Follow::yes, .tail_lines = overlap, .timestamps = true};
  auto output =
      co_await engine::container_logs(host->engine(), container, framing, std::move(options));
  if (!output) throw Failure{output.error()};
  open = true;
  changed.notify();
  co_await async::with_companion(read_output(std::move(*output)), tell_now_and_then());
}

async::task<void> LogHub::Stream::read_output(engine::OutputStream output) {
  while (co_await output.more(Milliseconds{0})) {
    while (auto view = output.take()) {
      splitter->feed(*view);
      if (splitter->cost() >= batch_max) seal();
    }
    if (steady_now() - told >= settings.gather) {
      told = steady_now();
      changed.notify();
    } else {
      dirty.notify();
    }
    if (ahead_of_everybody()) co_await wait_for_readers();
  }
  splitter->finish();
  seal();
}

async::task<void> LogHub::Stream::tell_now_and_then() {
  for (;;) {
    co_await dirty.wait();
    co_await async::pause(settings.gather);
    told = steady_now();
    changed.notify();
  }
}

bool LogHub::Stream::ahead_of_everybody() const {
  return std::ranges::all_of(followers, [this](const Follower* one) {
    return bytes + splitter->cost() > one->position() + settings.kept.count / 2;
  });
}

async::task<void> LogHub::Stream::wait_for_readers() {
  seal();
  changed.notify();
  while (ahead_of_everybody()) co_await moved.wait();
}

/// What has come becomes a batch that everybody shares; the oldest go.
void LogHub::Stream::seal() {
  if (!splitter || splitter->empty()) return;
  auto batch = std::make_shared<LogBatch>(splitter->take());
  batch->first = entries;
  batch->first_byte = bytes;
  entries += batch->entries.size();
  bytes += batch->cost();
  kept.push_back(std::move(batch));
  while (kept.size() > 1 && bytes - kept.front()->first_byte > settings.kept.count) {
    kept.pop_front();
  }
}

LogHub::LogHub(async::Executor executor, Settings settings)
    : executor_{executor},
      settings_{settings},
      histories_{settings.histories},
      readers_{std::move(executor)} {}

LogHub::~LogHub() = default;

async::task<void> LogHub::run(LogHub* hub, std::shared_ptr<Stream> stream) {
  auto ended = co_await async::attempt(async::race(stream->read(), stream->stop.wait()));
  if (!ended) stream->failure = ended.error();
  stream->ended = true;
  hub->forget(stream);
  stream->changed.notify();
}

void LogHub::forget(const std::shared_ptr<Stream>& stream) {
  auto found = streams_.find({stream->host->config().id.text(), stream->container});
  if (found != streams_.end() && found->second == stream) streams_.erase(found);
}

std::shared_ptr<LogHub::Stream> LogHub::join(std::shared_ptr<Host> host, std::string container) {
  Key key{host->config().id.text(), container};
  auto found = streams_.find(key);
  // A host that was replaced has another engine.
  if (found != streams_.end() && found->second->host == host) return found->second;
  auto stream =
      std::make_shared<Stream>(executor_, settings_, std::move(host), std::move(container));
  streams_[key] = stream;
  return stream;
}

async::task<Result<std::unique_ptr<LogHub::Follower>>> LogHub::follow(std::shared_ptr<Host> host,
                                                                      std::string container,
                                                                      LogWish wish) {
  bool full = streams_.size() >= settings_.streams_max &&
              !streams_.contains({host->config().id.text(), container});
  if (full || followers_ >= settings_.followers_max) {
    co_return fail(ErrorKind::exhausted, "too_many_followers",
                   fmt::format("cannot follow the log of container '{}': {} streams with {} "
                               "followers are open",
                               container, streams_.size(), followers_),
                   "close some, or try again later");
  }
  auto stream = join(std::move(host), std::move(container));
  bool first = stream->followers.empty();
  auto follower = std::make_unique<Follower>(*this, stream, std::move(wish));
  if (first) readers_.spawn("log of a container", run(this, stream));
  if (auto opened = co_await follower->opened(); !opened) co_return fail(opened.error());
  if (auto begun = co_await follower->begin_past(); !begun) co_return fail(begun.error());
  co_return follower;
}

async::task<void> LogHub::close() {
  for (const auto& [key, stream] : streams_) stream->stop.stop();
  co_await readers_.join();
}

LogHub::Follower::Follower(LogHub& hub, std::shared_ptr<Stream> stream, LogWish wish)
    : hub_{hub}, stream_{std::move(stream)}, wish_{std::move(wish)} {
  // From the oldest that is kept on: the end of the past is found among it, or comes after it.
  stream_->seal();
  if (!stream_->kept.empty()) {
    next_ = stream_->kept.front()->first;
    next_byte_ = stream_->kept.front()->first_byte;
  }
  stream_->followers.insert(this);
  ++hub_.followers_;
}

LogHub::Follower::~Follower() {
  stream_->followers.erase(this);
  --hub_.followers_;
  stream_->moved.notify();
  if (!stream_->followers.empty()) return;
  stream_->stop.stop();
  hub_.forget(stream_);
}

async::task<Result<>> LogHub::Follower::opened() {
  while (!stream_->open && !stream_->ended) co_await stream_->changed.wait();
  if (!stream_->open && stream_->failure) co_return fail(*stream_->failure);
  co_return ok;
}

async::task<Result<>> LogHub::Follower::begin_past() {
  engine::LogOptions options{.tail_lines = wish_.tail, .since = wish_.since, .timestamps = true};
  // Also who wants nothing of the past must know where it ends.
  if (wish_.tail == 0U) options.tail_lines = 1;
  auto output = co_await engine::container_logs(stream_->host->engine(), stream_->container,
                                                stream_->framing, std::move(options));
  if (!output) co_return fail(std::move(output.error()));
  past_.emplace(std::move(*output));
  splitter_.emplace(stream_->framing);
  co_return ok;
}

async::task<std::optional<LogNews>> LogHub::Follower::next() {
  if (past_) {
    if (auto news = co_await past()) co_return news;
  }
  co_return co_await present();
}

async::task<std::optional<LogNews>> LogHub::Follower::past() {
  for (;;) {
    bool more = co_await past_->more(past_silence_max);
    while (auto view = more ? past_->take() : std::nullopt) splitter_->feed(*view);
    if (!more) splitter_->finish();
    std::shared_ptr<const LogBatch> batch;
    if (!splitter_->empty()) batch = shown_of_past(splitter_->take());
    if (!more) {
      past_.reset();
      splitter_.reset();
    }
    if (batch && !batch->entries.empty()) {
      LogNews news;
      news.batches.push_back(std::move(batch));
      co_return news;
    }
    if (!more) co_return std::nullopt;
  }
}

void LogHub::Follower::note_of_past(const LogEntry& entry) {
  bool same = entry.at_ns == mark_.at_ns && entry.output == mark_.output && mark_.left != 0;
  mark_ = {.output = entry.output, .at_ns = entry.at_ns, .left = same ? mark_.left + 1 : 1};
}

/// Whether it is late enough for this follower.
bool LogHub::Follower::wants(const LogEntry& entry) const {
  if (entry.at_ns == 0) return true;
  if (wish_.since && entry.at_ns < nanoseconds_of(*wish_.since)) return false;
  return entry.at_ns > wish_.after_ns;
}

std::shared_ptr<const LogBatch> LogHub::Follower::shown_of_past(LogBatch batch) {
  LogBatch shown;
  for (const auto& entry : batch.entries) {
    note_of_past(entry);
    if (wish_.tail != 0U && wants(entry)) shown.add(entry.output, entry.at_ns, batch.text(entry));
  }
  if (shown.entries.size() == batch.entries.size()) {
    return std::make_shared<const LogBatch>(std::move(batch));
  }
  return std::make_shared<const LogBatch>(std::move(shown));
}

async::task<std::optional<LogNews>> LogHub::Follower::present() {
  for (;;) {
    stream_->seal();
    LogNews news;
    const auto& kept = stream_->kept;
    if (!kept.empty() && kept.front()->first > next_) {
      news.dropped_entries = kept.front()->first - next_;
      news.dropped_bytes = kept.front()->first_byte - next_byte_;
      next_ = kept.front()->first;
    }
    auto from =
        std::ranges::lower_bound(kept, next_, {}, [](const auto& one) { return one->first; });
    for (; from != kept.end(); ++from) {
      if (auto batch = without_told(*from)) news.batches.push_back(std::move(batch));
    }
    bool moved = next_ != stream_->entries;
    next_ = stream_->entries;
    next_byte_ = stream_->bytes;
    if (moved) stream_->moved.notify();
    if (!news.batches.empty() || news.dropped_entries != 0) co_return news;
    if (stream_->ended) break;
    co_await stream_->changed.wait();
  }
  if (stream_->failure) throw Failure{*stream_->failure};
  co_return std::nullopt;
}

/// Whether the past has told this entry: until its last entry comes by, all have been. An entry of
/// the same output with a later time says that it came by unseen.
bool LogHub::Follower::was_told(const LogEntry& entry) {
  if (mark_.left == 0 || mark_.at_ns == 0) return false;
  bool passed = entry.output == mark_.output && entry.at_ns > mark_.at_ns;
  if (passed) mark_.left = 0;
  if (entry.output == mark_.output && entry.at_ns == mark_.at_ns) --mark_.left;
  return !passed;
}

bool LogHub::Follower::filters() const {
  return mark_.left != 0 || wish_.since || wish_.after_ns != 0;
}

/// The batch itself when all of it is new; nothing when nothing is.
std::shared_ptr<const LogBatch> LogHub::Follower::without_told(
    std::shared_ptr<const LogBatch> batch) {
  if (!filters()) return batch;
  LogBatch fresh;
  for (const auto& entry : batch->entries) {
    if (was_told(entry) || !wants(entry)) continue;
    fresh.add(entry.output, entry.at_ns, batch->text(entry));
  }
  if (fresh.entries.size() == batch->entries.size()) return batch;
  if (fresh.entries.empty()) return nullptr;
  return std::make_shared<const LogBatch>(std::move(fresh));
}

}  // namespace gantry::fleet
