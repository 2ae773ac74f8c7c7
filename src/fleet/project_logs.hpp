#pragma once

#include "async/channel.hpp"
#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/containers.hpp"
#include "engine/streams.hpp"
#include "fleet/host.hpp"
#include "fleet/log_batch.hpp"
#include "fleet/log_hub.hpp"
#include "fleet/log_room.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// The logs of several containers as one, line by line.
namespace gantry::fleet {

/// A container whose log is read.
struct LogSource {
  std::string id;
  std::string name;
  std::string service;
  std::string label;  ///< `web-1`: what stands before its lines
  bool operator==(const LogSource&) const = default;
};

struct LogLine {
  std::int64_t at_ns = 0;  ///< Since 1970; 0: the engine did not tell.
  engine::Output output = engine::Output::out;
  std::string text;  ///< Without the line's end.
  bool operator==(const LogLine&) const = default;
};

/// Makes lines of a log's entries: pieces of what was longer than 16 KiB are one line again. Over
/// 1 MiB a line is cut in two. Pure.
class LineJoiner {
 public:
  void add(engine::Output output, std::int64_t at_ns, std::string_view text);
  void add(const LogBatch& batch);
  /// No more will come: a last line needs no end.
  void finish();
  std::optional<LogLine> next();

 private:
  struct Begun {
    std::int64_t at_ns = 0;
    std::string text;
  };
  void close(engine::Output output);

  std::array<Begun, 2> begun_;  ///< By output.
  std::deque<LogLine> lines_;
};

/// A line and whose it is: a place in the list of sources.
struct MergedLine {
  std::size_t source = 0;
  LogLine line;
};

/// What has been written so far, of all sources in the order of its times. A container that has
/// gone meanwhile is left out. Throws Failure when the engine is away.
class MergedHistory {
 public:
  /// `place`: room for all of the sources.
  MergedHistory(std::shared_ptr<Host> host, LogRoom::Place place, std::vector<LogSource> sources,
                engine::LogOptions options);
  /// The next line; nothing at the end.
  async::task<std::optional<MergedLine>> next();

 private:
  struct Head {
    std::optional<engine::OutputStream> stream;
    std::optional<LogSplitter> splitter;
    LineJoiner lines;
    std::optional<LogLine> line;
  };
  async::task<void> open();
  async::task<void> open(const LogSource& source, Head& head);
  async::task<void> advance(Head& head);

  std::shared_ptr<Host> host_;
  LogRoom::Place place_;
  std::vector<LogSource> sources_;
  engine::LogOptions options_;
  std::vector<Head> heads_;
  bool opened_ = false;
};

/// What is written from now on, by whichever containers there are: those that come later or start
/// again are followed too. Reads no further ahead than its reader follows.
class LogFollower {
 public:
  struct Line {
    LogSource source;
    LogLine line;
  };
  /// Which sources run now.
  using Sources = std::function<std::vector<LogSource>()>;

  /// Borrows `hub`. `since`: of containers nothing is known of yet.
  LogFollower(const async::Executor& executor, LogHub& hub, std::shared_ptr<Host> host,
              Sources sources, std::optional<WallTime> since);
  /// Of this container everything up to then has been told already.
  void seen(const std::string& container, std::int64_t at_ns);
  /// Follows until cancelled; beside it, `take` is called.
  async::task<void> run();
  /// Lines that came, gathered for a moment and in the order of their times; empty after a while
  /// without any.
  async::task<std::vector<Line>> take(Milliseconds patience);

 private:
  async::task<void> look();
  async::task<void> follow(LogSource source);
  async::task<void> read(LogSource source);

  LogHub& hub_;
  std::shared_ptr<Host> host_;
  Sources sources_;
  std::optional<WallTime> since_;
  std::map<std::string, std::int64_t> seen_;  ///< The last time by container.
  std::set<std::string> followed_;
  async::Channel<Line> lines_;
  async::TaskScope followers_;
};

}  // namespace gantry::fleet
