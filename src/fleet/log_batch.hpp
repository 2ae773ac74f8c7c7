#pragma once

#include "engine/streams.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gantry::fleet {

/// What a program wrote at once, as the engine kept it: a line with its end, or a piece of a line
/// that is longer than 16 KiB.
struct LogEntry {
  engine::Output output = engine::Output::out;
  std::int64_t at_ns = 0;  ///< Since 1970; 0: the engine did not tell.
  std::uint32_t begin = 0;
  std::uint32_t size = 0;
};

/// Entries in the order in which the engine kept them, in one piece of memory. Not changed once it
/// is shared by several readers.
struct LogBatch {
  std::string bytes;
  std::vector<LogEntry> entries;
  std::uint64_t first = 0;       ///< How many entries came before, in its stream,
  std::uint64_t first_byte = 0;  ///< and how much of memory (`cost`).
  /// What readers have made of all of it, once for all of them; each knows its own place.
  mutable std::array<std::shared_ptr<const std::string>, 2> shown;

  std::string_view text(const LogEntry& entry) const {
    return std::string_view{bytes}.substr(entry.begin, entry.size);
  }
  /// What it takes of memory.
  std::size_t cost() const { return bytes.size() + entries.size() * sizeof(LogEntry); }
  void add(engine::Output output, std::int64_t at_ns, std::string_view text);
};

/// The time an entry begins with when the engine was asked for timestamps, and how many bytes of
/// it that is, the blank included; nothing when it does not begin with one.
std::optional<std::pair<std::int64_t, std::size_t>> leading_time(std::string_view entry);
/// `2026-11-22T09:51:49.123456789Z`
std::string rfc3339_nanoseconds(std::int64_t at_ns);

/// Takes the engine's log with timestamps apart into entries. Pure: feed it, take entries.
/// With frames each frame is an entry, so that nothing a program writes can look like another
/// entry. The raw output of a terminal has no frames: there an entry ends with its line, or after
/// 16 KiB when a timestamp follows.
class LogSplitter {
 public:
  /// What an engine keeps at most as one entry, without its time.
  static constexpr std::size_t entry_max = 16U << 10U;

  explicit LogSplitter(engine::Framing framing) : framing_{framing} {}

  void feed(const engine::FrameView& view);
  /// There will be no more: what is begun is an entry too.
  void finish();
  /// What the entries that are whole take of memory.
  std::size_t cost() const { return ready_.cost(); }
  bool empty() const { return ready_.entries.empty(); }
  /// The entries that are whole.
  LogBatch take() { return std::exchange(ready_, {}); }

 private:
  void feed_frame(const engine::FrameView& view);
  void feed_raw(std::string_view bytes);
  void close(std::string_view entry, engine::Output output);

  engine::Framing framing_;
  LogBatch ready_;
  std::string open_;
  engine::Output open_output_ = engine::Output::out;
};

}  // namespace gantry::fleet
