// What a terminal writes: a replay begins where a screen can begin to read, a recording is JSON.
#include "base/json.hpp"
#include "fleet/recording_text.hpp"
#include "fleet/terminal_replay.hpp"
#include "fuzz.hpp"

#include <algorithm>

using namespace gantry;

namespace {

constexpr std::size_t replay_max = 2048;

void check_replay(std::string_view bytes, std::size_t piece) {
  fleet::TerminalReplay replay{replay_max};
  for (auto rest = bytes; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
    replay.append(rest.substr(0, piece));
  }
  CHECK(replay.size() <= replay_max);
  auto kept = bytes.substr(bytes.size() - replay.size());
  CHECK(replay.snapshot().ends_with(kept));
  fleet::TerminalScanner scanner;
  for (char byte : bytes.substr(0, bytes.size() - kept.size())) scanner.feed(byte);
  CHECK(kept.empty() || scanner.at_boundary());
}

void check_recording(std::string_view bytes, std::size_t piece) {
  fleet::RecordingText recording;
  std::string lines;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    lines += recording.output(Microseconds{1}, bytes.substr(0, piece));
  }
  lines += recording.end(Microseconds{2});
  for (std::size_t at = 0; at < lines.size(); at = lines.find('\n', at) + 1) {
    auto line = std::string_view{lines}.substr(at, lines.find('\n', at) - at);
    CHECK(json::parse(line, json::Keys::strict).has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto bytes = fuzz::text_of(data, size);
  for (std::size_t piece : {std::size_t{1}, std::size_t{700}, size + 1}) {
    check_replay(bytes, piece);
    check_recording(bytes, piece);
  }
  return 0;
}
