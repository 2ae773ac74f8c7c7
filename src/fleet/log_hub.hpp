#pragma once

#include "async/event.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/containers.hpp"
#include "fleet/host.hpp"
#include "fleet/log_batch.hpp"
#include "fleet/log_room.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gantry::fleet {

/// From where on somebody follows a log.
struct LogWish {
  /// How many entries of the past; absent: all of them, 0: only what comes.
  std::optional<std::uint32_t> tail;
  std::optional<WallTime> since;
  /// Only what is later than this, in nanoseconds since 1970: to go on where one was.
  std::int64_t after_ns = 0;
};

/// What a follower is told at once.
struct LogNews {
  /// What it missed before these, because it read more slowly than another follower.
  std::uint64_t dropped_entries = 0;
  std::uint64_t dropped_bytes = 0;
  std::vector<std::shared_ptr<const LogBatch>> batches;
};

/// Lets any number of people follow the logs of containers: one stream from the engine for each
/// container, shared by all who follow it, and ended after the last of them. Belongs to the loop.
///
/// What the past holds is read for each follower by itself, without losing or repeating an entry
/// where it meets the shared stream. The stream is never read further ahead of its fastest reader
/// than `kept`, so a single one misses nothing however slow it is, as with `docker logs -f`; who is
/// slower than others by more than that is told what was dropped.
class LogHub {
 public:
  struct Settings {
    /// What is kept of each stream for those who are behind.
    Bytes kept{4U << 20U};
    /// Entries that come within this are told at once.
    Milliseconds gather{4};
    std::size_t streams_max = 512;
    std::size_t followers_max = 4096;
    LogRoom::Settings histories = {};
  };
  class Follower;

  LogHub(async::Executor executor, Settings settings);
  explicit LogHub(async::Executor executor) : LogHub{std::move(executor), Settings{}} {}
  ~LogHub();
  LogHub(const LogHub&) = delete;
  LogHub& operator=(const LogHub&) = delete;

  /// `container` is a whole id. Answers when the engine has answered; refused as
  /// `engine::container_logs` refuses, or `too_many_followers` (exhausted).
  async::task<Result<std::unique_ptr<Follower>>> follow(std::shared_ptr<Host> host,
                                                        std::string container, LogWish wish);
  /// For what is read of several containers at once without being followed.
  LogRoom& histories() { return histories_; }
  /// How many streams from engines are open.
  std::size_t streams() const { return streams_.size(); }
  std::size_t followers() const { return followers_; }
  /// Ends all streams. Followers that are left see their end.
  async::task<void> close();

 private:
  friend class Follower;
  struct Stream;
  using Key = std::pair<std::string, std::string>;

  std::shared_ptr<Stream> join(std::shared_ptr<Host> host, std::string container);
  static async::task<void> run(LogHub* hub, std::shared_ptr<Stream> stream);
  void forget(const std::shared_ptr<Stream>& stream);

  async::Executor executor_;
  Settings settings_;
  std::map<Key, std::shared_ptr<Stream>> streams_;  // also held by followers and the reader's task
  std::size_t followers_ = 0;
  LogRoom histories_;
  async::TaskScope readers_;
};

/// One who follows a log. Ends its part in the stream when it goes; must go before the hub.
class LogHub::Follower {
 public:
  Follower(LogHub& hub, std::shared_ptr<Stream> stream, LogWish wish);
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  ~Follower();

  /// The next entries, of the past first; nothing when the container has stopped or gone. Throws
  /// Failure when the engine breaks off. May be cancelled; the next call goes on.
  async::task<std::optional<LogNews>> next();
  /// Whether what comes next was written before it came.
  bool in_past() const { return past_.has_value(); }
  /// While `in_past`: the next of that, or nothing once it is over. Never waits for what is still
  /// to be written, as `next` does.
  async::task<std::optional<LogNews>> past();
  /// Where it stands in the shared stream, in memory read.
  std::uint64_t position() const { return next_byte_; }

 private:
  friend class LogHub;
  /// The last entry of the past: in the stream everything up to it has been told.
  struct Mark {
    engine::Output output = engine::Output::out;
    std::int64_t at_ns = 0;
    std::uint64_t left = 0;  ///< How many of that time and output are to come in the stream.
  };

  async::task<Result<>> opened();
  async::task<Result<>> begin_past();
  async::task<std::optional<LogNews>> present();
  std::shared_ptr<const LogBatch> shown_of_past(LogBatch batch);
  void note_of_past(const LogEntry& entry);
  bool wants(const LogEntry& entry) const;
  bool filters() const;
  std::shared_ptr<const LogBatch> without_told(std::shared_ptr<const LogBatch> batch);
  bool was_told(const LogEntry& entry);

  LogHub& hub_;
  std::shared_ptr<Stream> stream_;
  LogWish wish_;
  std::optional<engine::OutputStream> past_;
  std::optional<LogSplitter> splitter_;
  Mark mark_;
  std::uint64_t next_ = 0;
  std::uint64_t next_byte_ = 0;
};

}  // namespace gantry::fleet
