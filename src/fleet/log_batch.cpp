#include "fleet/log_batch.hpp"

#include <charconv>
#include <chrono>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

constexpr std::size_t fraction_begin = 19;  // `2026-11-22T09:51:49`
/// A frame that is larger than any entry is handed on in pieces of this.
constexpr std::size_t open_max = 64U << 10U;
constexpr std::int64_t second_ns = 1'000'000'000;

/// The number in exactly these digits; -1 when they are none.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (auto c : text.substr(at, count)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

bool has_marks(std::string_view text) {
  return text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' && text[16] == ':';
}

std::optional<std::int64_t> whole_seconds(std::string_view text) {
  using namespace std::chrono;
  if (text.size() < fraction_begin || !has_marks(text)) return std::nullopt;
  int numbers[] = {digits(text, 0, 4),  digits(text, 5, 2),  digits(text, 8, 2),
                   digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2)};
  for (auto number : numbers) {
    if (number < 0) return std::nullopt;
  }
  year_month_day date{year{numbers[0]}, month{static_cast<unsigned>(numbers[1])},
                      day{static_cast<unsigned>(numbers[2])}};
  if (!date.ok() || numbers[0] < 1970 || numbers[0] > 2200 || numbers[3] > 23 || numbers[4] > 59 ||
      numbers[5] > 60) {
    return std::nullopt;
  }
  auto days = sys_days{date}.time_since_epoch().count();
  return ((days * 24 + numbers[3]) * 60 + numbers[4]) * 60LL + numbers[5];
}

struct Fraction {
  std::int64_t ns = 0;
  std::size_t end = 0;
};

Fraction fraction_of(std::string_view text) {
  Fraction fraction{.end = fraction_begin};
  if (text.size() <= fraction_begin || text[fraction_begin] != '.') return fraction;
  auto scale = second_ns;
  auto at = fraction_begin + 1;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9' && scale > 1; ++at) {
    scale /= 10;
    fraction.ns += (text[at] - '0') * scale;
  }
  fraction.end = at;
  return fraction;
}

struct Zone {
  std::int64_t seconds = 0;
  std::size_t end = 0;
};

std::optional<Zone> zone_of(std::string_view text, std::size_t at) {
  if (at >= text.size()) return std::nullopt;
  if (text[at] == 'Z') return Zone{.end = at + 1};
  if ((text[at] != '+' && text[at] != '-') || text.size() < at + 6 || text[at + 3] != ':') {
    return std::nullopt;
  }
  auto hours = digits(text, at + 1, 2);
  auto minutes = digits(text, at + 4, 2);
  if (hours < 0 || minutes < 0) return std::nullopt;
  auto seconds = (hours * 60 + minutes) * 60LL;
  return Zone{.seconds = text[at] == '+' ? seconds : -seconds, .end = at + 6};
}

}  // namespace

void LogBatch::add(engine::Output output, std::int64_t at_ns, std::string_view text) {
  entries.push_back({.output = output,
                     .at_ns = at_ns,
                     .begin = static_cast<std::uint32_t>(bytes.size()),
                     .size = static_cast<std::uint32_t>(text.size())});
  bytes += text;
}

std::optional<std::pair<std::int64_t, std::size_t>> leading_time(std::string_view entry) {
  auto seconds = whole_seconds(entry);
  if (!seconds) return std::nullopt;
  auto fraction = fraction_of(entry);
  auto zone = zone_of(entry, fraction.end);
  if (!zone || zone->end >= entry.size() || entry[zone->end] != ' ') return std::nullopt;
  auto at = (*seconds - zone->seconds) * second_ns + fraction.ns;
  // 0 stands for a time nobody told.
  if (at <= 0) return std::nullopt;
  return std::pair{at, zone->end + 1};
}

std::string rfc3339_nanoseconds(std::int64_t at_ns) {
  using namespace std::chrono;
  auto days = floor<std::chrono::days>(sys_time<nanoseconds>{nanoseconds{at_ns}});
  year_month_day date{days};
  hh_mm_ss time{sys_time<nanoseconds>{nanoseconds{at_ns}} - days};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

void LogSplitter::feed(const engine::FrameView& view) {
  if (framing_ == engine::Framing::multiplexed) return feed_frame(view);
  feed_raw(view.bytes);
}

void LogSplitter::feed_frame(const engine::FrameView& view) {
  if (view.begins && view.ends) return close(view.bytes, view.output);
  open_ += view.bytes;
  open_output_ = view.output;
  if (!view.ends && open_.size() < open_max) return;
  close(open_, open_output_);
  open_.clear();
}

void LogSplitter::feed_raw(std::string_view bytes) {
  open_ += bytes;
  std::size_t begin = 0;
  for (;;) {
    auto rest = std::string_view{open_}.substr(begin);
    auto end = rest.find('\n');
    auto size = end == std::string_view::npos ? rest.size() : end + 1;
    // A line that the engine kept in pieces has a time before each of them.
    auto time = leading_time(rest.substr(0, std::min<std::size_t>(size, 64)));
    auto full = (time ? time->second : 0) + entry_max;
    bool pieces = size > full && leading_time(rest.substr(full, 64));
    if (pieces) size = full;
    if (end == std::string_view::npos && !pieces && size < open_max) break;
    close(rest.substr(0, size), engine::Output::out);
    begin += size;
  }
  open_.erase(0, begin);
}

void LogSplitter::finish() {
  if (!open_.empty()) close(open_, open_output_);
  open_.clear();
}

void LogSplitter::close(std::string_view entry, engine::Output output) {
  if (entry.empty()) return;
  if (auto time = leading_time(entry)) {
    ready_.add(output, time->first, entry.substr(time->second));
  } else {
    ready_.add(output, 0, entry);
  }
}

}  // namespace gantry::fleet
