#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::cli {

/// One server-sent event: its name (`message` when it has none), its data lines joined, its id.
struct ServerEvent {
  std::string name;
  std::string data;
  std::string id = {};  ///< Where the stream is with it; empty: it has not said.
  bool operator==(const ServerEvent&) const = default;
};

/// Takes apart a `text/event-stream` (https://html.spec.whatwg.org/#parsing-an-event-stream).
/// Pure: feed bytes, take events. Comments and retry times are read over.
class EventParser {
 public:
  /// An event with more data than this can not come from our server.
  static constexpr std::size_t event_max = 96U << 20U;

  /// False when an event is over the limit: the stream can not be read any further.
  bool feed(std::string_view bytes);
  /// The next complete event; nothing: feed me more.
  std::optional<ServerEvent> next();
  /// Where the stream is, for `Last-Event-ID`; empty: it has not said.
  const std::string& last_id() const { return last_id_; }

 private:
  void take_line(std::string_view line);

  std::string line_;
  bool after_return_ = false;
  ServerEvent event_;
  bool has_data_ = false;
  std::string id_;  ///< Of the event that is being read.
  std::string last_id_;
  std::deque<ServerEvent> ready_;
};

}  // namespace gantry::cli
