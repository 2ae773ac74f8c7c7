#include "fleet/recording_text.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "fleet/terminal_replay.hpp"

#include <utility>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

std::string line(Microseconds at, char kind, std::string_view text) {
  constexpr auto million = 1'000'000;
  return fmt::format("[{}.{:06}, \"{}\", {}]\n", at.count() / million, at.count() % million, kind,
                     text::json_quoted(text));
}

}  // namespace

std::string RecordingText::header(const RecordingHeader& header) {
  auto seconds = std::chrono::duration_cast<Seconds>(header.started_at.time_since_epoch());
  json::Object object{
      {"version", 2},
      {"width", header.size.columns},
      {"height", header.size.rows},
      {"timestamp", seconds.count()},
      {"title", text::one_line(header.title)},
      {"env", json::Object{{"SHELL", text::one_line(header.shell)}, {"TERM", "xterm-256color"}}}};
  return json::serialize(object) + "\n";
}

std::string RecordingText::output(Microseconds at, std::string_view bytes) {
  auto text = std::exchange(unfinished_, {});
  text += bytes;
  auto whole = text.size() - unfinished_utf8(text);
  unfinished_ = text.substr(whole);
  text.resize(whole);
  return text.empty() ? std::string{} : line(at, 'o', text);
}

std::string RecordingText::resized(Microseconds at, engine::TerminalSize size) {
  return line(at, 'r', fmt::format("{}x{}", size.columns, size.rows));
}

std::string RecordingText::end(Microseconds at) {
  auto text = std::exchange(unfinished_, {});
  return text.empty() ? std::string{} : line(at, 'o', text);
}

}  // namespace gantry::fleet
