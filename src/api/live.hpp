#pragma once

#include "api/call.hpp"
#include "async/channel.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "net/websocket.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::api {

/// What somebody asks a live channel for.
struct LiveWish {
  enum class Kind { containers, host, events, executions, logs, stats };
  enum class Action { subscribe, unsubscribe };

  Action action = Action::subscribe;
  Kind kind = Kind::containers;
  std::string topic;                 ///< As they wrote it: `logs:web1/db`.
  std::string host;                  ///< Of `host`, `logs` and `stats`.
  std::string container;             ///< Of `logs` and `stats`: an id or a name.
  std::optional<std::int64_t> tail;  ///< Of `logs`: so many lines of the past.
  std::optional<std::string> after;  ///< Of `events`: a cursor.
};
/// Refused: invalid, with what is wrong.
Result<LiveWish> parse_live_wish(const net::WebSocket::Message& message);

/// The messages of one live channel on their way out. Who tells waits while the other side does
/// not read: what is held for one tab is bounded.
class LiveOutbox {
 public:
  explicit LiveOutbox(const async::Executor& executor) : messages_{executor, messages_max} {}

  async::task<void> tell(std::string_view topic, std::string_view type, json::Object message);
  async::task<void> tell_error(std::string_view topic, Error error);
  async::task<std::optional<std::string>> next() { return messages_.receive(); }

 private:
  /// None is much larger than 200 containers or 64 KiB of a log.
  static constexpr std::size_t messages_max = 16;

  async::Channel<std::string> messages_;
};

// What is told of each kind, for as long as somebody subscribes and may see it. They end by
// themselves when there will be nothing any more, and throw Failure when there can be nothing.

/// Of all hosts, or of the wish's one: live_containers.cpp
async::task<void> tell_containers(Call& call, const LiveWish& wish, LiveOutbox& out);
/// live_executions.cpp
async::task<void> tell_executions(Call& call, const LiveWish& wish, LiveOutbox& out);
/// live_streams.cpp
async::task<void> tell_events(Call& call, const LiveWish& wish, LiveOutbox& out);
async::task<void> tell_logs(Call& call, const LiveWish& wish, LiveOutbox& out);
async::task<void> tell_stats(Call& call, const LiveWish& wish, LiveOutbox& out);

/// One browser tab's WebSocket: it subscribes to topics and is told of them
/// (docs/protocols/live.md). One coroutine reads, one per topic tells, and the writer alone writes
/// and closes.
class LiveChannel {
 public:
  /// So many topics at once.
  static constexpr std::size_t topics_max = 32;

  LiveChannel(Call& call, net::WebSocket socket);

  /// Returns when the connection has ended.
  async::task<void> run();

 private:
  struct Goodbye {
    std::uint16_t code;
    std::string reason;
  };
  struct Topic {
    explicit Topic(const async::Executor& executor) : dropped{executor} {}
    async::StopSignal dropped;
  };

  async::task<void> exchange();
  async::task<void> read();
  async::task<void> understand(const net::WebSocket::Message& message);
  async::task<void> subscribe(LiveWish wish);
  async::task<void> follow(LiveWish wish, std::shared_ptr<Topic> topic);
  async::task<void> tell(const LiveWish& wish);
  async::task<void> write();
  async::task<void> take(std::optional<std::string>& message);
  async::task<void> watch_stop();
  async::task<void> until_over();
  async::task<void> until_asked();
  std::optional<Goodbye> goodbye() const;

  Call& call_;
  net::WebSocket socket_;
  LiveOutbox out_;
  std::map<std::string, std::shared_ptr<Topic>> topics_;  // also held by who follows it
  async::StopSignal refused_;
  std::string refusal_;
  bool stopping_ = false;
  async::TaskScope followers_;
};

}  // namespace gantry::api
