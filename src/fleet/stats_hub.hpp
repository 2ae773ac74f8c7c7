#pragma once

#include "async/event.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/containers.hpp"
#include "fleet/host.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace gantry::fleet {

/// Lets any number of people watch what containers use: one stream from the engine for each
/// container, about one reading per second, shared by all who watch it and ended after the last of
/// them. Who is slow misses readings and gets the latest. Belongs to the loop.
class StatsHub {
 public:
  struct Settings {
    std::size_t streams_max = 512;
    std::size_t watchers_max = 4096;
  };
  class Watcher;

  StatsHub(async::Executor executor, Settings settings);
  explicit StatsHub(async::Executor executor) : StatsHub{std::move(executor), Settings{}} {}
  ~StatsHub();
  StatsHub(const StatsHub&) = delete;
  StatsHub& operator=(const StatsHub&) = delete;

  /// `container` is a whole id of one that runs: another is refused by the caller. Answers when
  /// the engine has answered; refused besides: `too_many_watchers` (exhausted).
  async::task<Result<std::unique_ptr<Watcher>>> watch(std::shared_ptr<Host> host,
                                                      std::string container);
  /// How many streams from engines are open.
  std::size_t streams() const { return streams_.size(); }
  std::size_t watchers() const { return watchers_; }
  /// Ends all streams. Watchers that are left see their end.
  async::task<void> close();

 private:
  struct Stream;
  using Key = std::pair<std::string, std::string>;

  std::shared_ptr<Stream> join(std::shared_ptr<Host> host, std::string container);
  static async::task<void> run(StatsHub* hub, std::shared_ptr<Stream> stream);
  void forget(const std::shared_ptr<Stream>& stream);

  async::Executor executor_;
  Settings settings_;
  std::map<Key, std::shared_ptr<Stream>> streams_;  // also held by watchers and the reader's task
  std::size_t watchers_ = 0;
  async::TaskScope readers_;
};

/// One who watches. Ends its part in the stream when it goes; must go before the hub.
class StatsHub::Watcher {
 public:
  Watcher(StatsHub& hub, std::shared_ptr<Stream> stream);
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher();

  /// A reading that this one was not told yet, with its CPU percentage; nothing when the container
  /// does not run any more. Throws Failure when the engine breaks off. May be cancelled.
  async::task<std::optional<engine::Stats>> next();

 private:
  friend class StatsHub;
  async::task<Result<>> opened();

  StatsHub& hub_;
  std::shared_ptr<Stream> stream_;
  std::uint64_t told_ = 0;
};

}  // namespace gantry::fleet
