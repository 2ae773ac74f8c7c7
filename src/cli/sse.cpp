#include "cli/sse.hpp"

#include <utility>

namespace gantry::cli {

bool EventParser::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    // CR LF, LF and CR each end a line; the LF of a CR LF may come in the next piece.
    if (std::exchange(after_return_, false) && bytes.front() == '\n') bytes.remove_prefix(1);
    auto end = bytes.find_first_of("\r\n");
    line_.append(bytes.substr(0, end));
    if (line_.size() + event_.data.size() > event_max) return false;
    if (end == bytes.npos) break;
    after_return_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    take_line(std::exchange(line_, {}));
  }
  return true;
}

void EventParser::take_line(std::string_view line) {
  if (line.empty()) {
    if (event_.name.empty()) event_.name = "message";
    event_.id = last_id_ = id_;
    if (has_data_) ready_.push_back(std::move(event_));
    event_ = {};
    has_data_ = false;
    return;
  }
  auto colon = line.find(':');
  auto field = line.substr(0, colon);
  auto value = colon == line.npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") {
    event_.name = value;
  } else if (field == "id") {
    id_ = value;
  } else if (field == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  }
}

std::optional<ServerEvent> EventParser::next() {
  if (ready_.empty()) return std::nullopt;
  auto event = std::move(ready_.front());
  ready_.pop_front();
  return event;
}

}  // namespace gantry::cli
