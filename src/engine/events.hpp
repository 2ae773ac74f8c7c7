#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "engine/containers.hpp"
#include "engine/streams.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gantry::engine {

/// Something that happened on the engine. https://docs.docker.com/engine/api/v1.41/#tag/System
struct Event {
  std::string type;    ///< `container`, `image`, `volume`, `network`, `daemon`
  std::string action;  ///< `start`, `die`, `exec_create: sh`
  std::string actor_id;
  std::map<std::string, std::string> attributes;
  WallTime time;
};

struct EventFilter {
  std::vector<std::string> types;  ///< Any of them; empty: all.
  LabelFilters labels;
};

/// Follows the engine's events. Reconnecting, and relisting after it, is the caller's.
class EventStream {
 public:
  explicit EventStream(net::http::StreamedResponse response) : lines_{std::move(response)} {}
  /// The next event, however long it takes; nothing when the engine ended the stream.
  async::task<std::optional<Event>> next();

 private:
  JsonLines lines_;
};
async::task<Result<EventStream>> follow_events(Client& client, EventFilter filter);

}  // namespace gantry::engine
