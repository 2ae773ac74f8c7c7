#pragma once

#include "async/event.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "engine/events.hpp"
#include "fleet/host_config.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::fleet {

/// Something that happened on a host, as people are told of it.
struct HostEvent {
  std::uint64_t number = 0;  ///< Grows over all hosts.
  WallTime at;
  HostId host;
  std::string host_name;  ///< At that time.
  std::string type;       ///< `container`, `image`, `network`, `volume`, `host`
  std::string action;     ///< One word: `start`, `die`, `health_status`
  std::string object;     ///< The engine's id of what it happened to; empty for `host`.
  /// The Compose project of a container; empty: of none, or no container.
  std::string project;
  /// A few well-known ones, such as `name`, `image`, `exit_code`.
  std::map<std::string, std::string> attributes;
};

/// What has happened lately on all hosts: bounded, in memory, and read by number, so that whoever
/// lost a connection goes on where it was. Each host has its share, so that a noisy one pushes
/// nobody else's out.
class EventLog {
 public:
  /// Over all hosts, and of one at most.
  static constexpr std::size_t events_max = 20'000;
  static constexpr std::size_t host_events_max = 1'000;

  EventLog(async::Executor executor, Clock clock);

  /// An event of an engine. What only tells of looking and typing (`exec_…`, `top`, `resize`) is
  /// left out: health checks alone make three a second. So is what repeats that a container begins
  /// or ends: every sandbox does.
  void note(const HostId& host, std::string_view name, const engine::Event& event);
  /// An event of the host itself: `connected`, `unreachable`, `added`, `removed`, `changed`.
  void note_host(const HostId& host, std::string_view name, std::string_view action,
                 std::map<std::string, std::string> attributes = {});

  /// The number of the newest one; 0 before the first.
  std::uint64_t last() const { return last_; }
  struct Page {
    std::vector<const HostEvent*> events;  ///< In order. Good until the next `note`.
    /// Of these hosts something after the asked number has been forgotten.
    std::vector<HostId> gaps;
  };
  /// The first `max` after `number`.
  Page after(std::uint64_t number, std::size_t max) const;

  /// A number as others keep it: it says which run of the server it belongs to.
  std::string cursor(std::uint64_t number) const;
  /// Nothing for one of another run, or of nobody's making.
  std::optional<std::uint64_t> parse_cursor(std::string_view cursor) const;

  /// Returns at the next event; compare `last` first, so that none is missed.
  async::task<void> changed() { return changed_.wait(); }

 private:
  struct Ring {
    std::deque<HostEvent> events;
    std::uint64_t forgotten = 0;  ///< The newest that was.
  };

  void put(HostEvent event);

  Clock clock_;
  std::string run_;
  std::uint64_t last_ = 0;
  std::map<HostId, Ring> rings_;
  async::Event changed_;
};

}  // namespace gantry::fleet
