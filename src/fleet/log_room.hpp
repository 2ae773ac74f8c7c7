#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace gantry::fleet {

/// How many logs may be read at once for histories of several containers: each of them is a stream
/// from an engine, and open until the slowest reader has read all. Belongs to the loop.
class LogRoom {
 public:
  struct Settings {
    std::size_t sources_max = 256;  ///< Of one history.
    std::size_t of_host_max = 512;
    std::size_t all_max = 2'048;
  };
  class Place;

  explicit LogRoom(Settings settings) : settings_{settings} {}
  LogRoom(const LogRoom&) = delete;
  LogRoom& operator=(const LogRoom&) = delete;

  /// Room for so many of a host, until the place goes. Refused: `too_many_logs` (conflict), and
  /// `logs_busy` (exhausted) when others have the room now.
  Result<Place> take(const std::string& host, std::size_t sources);
  /// How many are being read.
  std::size_t taken() const { return all_; }

 private:
  void leave(const std::string& host, std::size_t sources);

  Settings settings_;
  std::map<std::string, std::size_t> by_host_;
  std::size_t all_ = 0;
};

/// Room that somebody has; must go before the LogRoom.
class LogRoom::Place {
 public:
  Place(Place&& other) noexcept
      : room_{std::exchange(other.room_, nullptr)},
        host_{std::move(other.host_)},
        sources_{other.sources_} {}
  Place& operator=(Place&&) = delete;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (room_ != nullptr) room_->leave(host_, sources_);
  }

 private:
  friend class LogRoom;
  Place(LogRoom& room, std::string host, std::size_t sources)
      : room_{&room}, host_{std::move(host)}, sources_{sources} {}

  LogRoom* room_;
  std::string host_;
  std::size_t sources_;
};

}  // namespace gantry::fleet
