#pragma once

#include "base/clock.hpp"
#include "engine/exec.hpp"

#include <string>
#include <string_view>

namespace gantry::fleet {

/// What the first line of a recording says.
struct RecordingHeader {
  engine::TerminalSize size;
  WallTime started_at;
  std::string title;
  std::string shell;
};

/// The lines of a recording in asciicast v2 (https://docs.asciinema.org/manual/asciicast/v2/): what
/// the terminal wrote and how large it was, never what was typed. A character of UTF-8 that is cut
/// by the end of a piece waits for its rest; bytes that are no UTF-8 become U+FFFD. Pure.
class RecordingText {
 public:
  static std::string header(const RecordingHeader& header);
  /// `at` is the time since the start. Empty when nothing of it is whole yet.
  std::string output(Microseconds at, std::string_view bytes);
  std::string resized(Microseconds at, engine::TerminalSize size);
  /// What is left when nothing more comes; may be empty.
  std::string end(Microseconds at);

 private:
  std::string unfinished_;
};

}  // namespace gantry::fleet
