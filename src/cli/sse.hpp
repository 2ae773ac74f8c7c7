#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace gantry::cli {

/// One server-sent event: its name (`message` when it has none) and its data lines joined.
struct ServerEvent {
  std::string name;
  std::string data;
  bool operator==(const ServerEvent&) const = default;
};

/// Takes apart a `text/event-stream` (https://html.spec.whatwg.org/#parsing-an-event-stream).
/// Pure: feed bytes, take events. Comments, ids and retry times are read over.
class EventParser {
 public:
  /// An event with more data than this can not come from our server.
  static constexpr std::size_t event_max = 96U << 20U;

  /// False when an event is over the limit: the stream can not be read any further.
  bool feed(std::string_view bytes);
  /// The next complete event; nothing: feed me more.
  std::optional<ServerEvent> next();

 private:
  void take_line(std::string_view line);

  std::string line_;
  bool after_return_ = false;
  ServerEvent event_;
  bool has_data_ = false;
  std::deque<ServerEvent> ready_;
};

}  // namespace gantry::cli
