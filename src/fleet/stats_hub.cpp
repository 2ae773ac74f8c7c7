#include "fleet/stats_hub.hpp"

#include "async/attempt.hpp"

#include <fmt/format.h>

namespace gantry::fleet {

/// What one container uses, as its engine tells it.
struct StatsHub::Stream {
  Stream(const async::Executor& executor, std::shared_ptr<Host> of, std::string id)
      : host{std::move(of)}, container{std::move(id)}, changed{executor}, stop{executor} {}

  async::task<void> read();

  std::shared_ptr<Host> host;
  std::string container;
  async::Event changed;  ///< There is a new reading, or the end.
  async::StopSignal stop;
  bool open = false;
  bool ended = false;
  std::optional<Error> failure;
  engine::Stats latest;
  std::uint64_t readings = 0;
  std::size_t watchers = 0;
};

async::task<void> StatsHub::Stream::read() {
  auto stats = co_await engine::container_stats(host->engine(), container);
  if (!stats) throw Failure{stats.error()};
  open = true;
  changed.notify();
  while (auto reading = co_await stats->next()) {
    if (!reading->running()) break;
    // The first of a stream has nothing to compare with: one second later there is.
    if (!reading->cpu_percent()) continue;
    latest = std::move(*reading);
    ++readings;
    changed.notify();
  }
}

StatsHub::StatsHub(async::Executor executor, Settings settings)
    : executor_{executor}, settings_{settings}, readers_{std::move(executor)} {}

StatsHub::~StatsHub() = default;

async::task<void> StatsHub::run(StatsHub* hub, std::shared_ptr<Stream> stream) {
  auto ended = co_await async::attempt(async::race(stream->read(), stream->stop.wait()));
  if (!ended) stream->failure = ended.error();
  stream->ended = true;
  hub->forget(stream);
  stream->changed.notify();
}

void StatsHub::forget(const std::shared_ptr<Stream>& stream) {
  auto found = streams_.find({stream->host->config().id.text(), stream->container});
  if (found != streams_.end() && found->second == stream) streams_.erase(found);
}

std::shared_ptr<StatsHub::Stream> StatsHub::join(std::shared_ptr<Host> host,
                                                 std::string container) {
  Key key{host->config().id.text(), container};
  auto found = streams_.find(key);
  // A host that was replaced has another engine.
  if (found != streams_.end() && found->second->host == host) return found->second;
  auto stream = std::make_shared<Stream>(executor_, std::move(host), std::move(container));
  streams_[key] = stream;
  return stream;
}

async::task<Result<std::unique_ptr<StatsHub::Watcher>>> StatsHub::watch(std::shared_ptr<Host> host,
                                                                        std::string container) {
  bool full = streams_.size() >= settings_.streams_max &&
              !streams_.contains({host->config().id.text(), container});
  if (full || watchers_ >= settings_.watchers_max) {
    co_return fail(ErrorKind::exhausted, "too_many_watchers",
                   fmt::format("cannot watch container '{}': {} streams with {} watchers are open",
                               container, streams_.size(), watchers_),
                   "close some, or try again later");
  }
  auto stream = join(std::move(host), std::move(container));
  bool first = stream->watchers == 0;
  auto watcher = std::make_unique<Watcher>(*this, stream);
  if (first) readers_.spawn("use of a container", run(this, stream));
  if (auto opened = co_await watcher->opened(); !opened) co_return fail(opened.error());
  co_return watcher;
}

async::task<void> StatsHub::close() {
  for (const auto& [key, stream] : streams_) stream->stop.stop();
  co_await readers_.join();
}

StatsHub::Watcher::Watcher(StatsHub& hub, std::shared_ptr<Stream> stream)
    : hub_{hub}, stream_{std::move(stream)} {
  ++stream_->watchers;
  ++hub_.watchers_;
}

StatsHub::Watcher::~Watcher() {
  --hub_.watchers_;
  if (--stream_->watchers != 0) return;
  stream_->stop.stop();
  hub_.forget(stream_);
}

async::task<Result<>> StatsHub::Watcher::opened() {
  while (!stream_->open && !stream_->ended) co_await stream_->changed.wait();
  if (!stream_->open && stream_->failure) co_return fail(*stream_->failure);
  co_return ok;
}

async::task<std::optional<engine::Stats>> StatsHub::Watcher::next() {
  while (told_ == stream_->readings) {
    if (stream_->ended) {
      if (stream_->failure) throw Failure{*stream_->failure};
      co_return std::nullopt;
    }
    co_await stream_->changed.wait();
  }
  told_ = stream_->readings;
  co_return stream_->latest;
}

}  // namespace gantry::fleet
