#include "api/read.hpp"

namespace gantry::api {
namespace {

/// Takes text apart from its front; `sound` tells in the end whether all of it was as expected.
struct Reader {
  std::string_view rest;
  bool sound = true;

  int digits(std::size_t count) {
    int number = 0;
    if (rest.size() < count) return wrong();
    for (char c : rest.substr(0, count)) {
      if (c < '0' || c > '9') return wrong();
      number = number * 10 + (c - '0');
    }
    rest.remove_prefix(count);
    return number;
  }
  void literal(char wanted) {
    if (!next_is(wanted)) wrong();
  }
  bool next_is(char wanted) {
    if (rest.empty() || rest.front() != wanted) return false;
    rest.remove_prefix(1);
    return true;
  }
  int wrong() {
    sound = false;
    rest = {};
    return 0;
  }
};

int milliseconds_of_fraction(Reader& reader) {
  if (!reader.next_is('.')) return 0;
  int value = reader.digits(1) * 100;
  for (int weight : {10, 1}) {
    if (!reader.rest.empty() && reader.rest.front() >= '0' && reader.rest.front() <= '9') {
      value += reader.digits(1) * weight;
    }
  }
  while (!reader.rest.empty() && reader.rest.front() >= '0' && reader.rest.front() <= '9') {
    reader.rest.remove_prefix(1);
  }
  return value;
}

std::chrono::minutes offset_of(Reader& reader) {
  if (reader.next_is('Z') || reader.next_is('z')) return {};
  bool east = reader.next_is('+');
  if (!east) reader.literal('-');
  int hours = reader.digits(2);
  reader.literal(':');
  int minutes = reader.digits(2);
  if (hours > 23 || minutes > 59) reader.wrong();
  std::chrono::minutes offset{hours * 60 + minutes};
  return east ? offset : -offset;
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  Reader reader{text};
  int year = reader.digits(4);
  reader.literal('-');
  int month = reader.digits(2);
  reader.literal('-');
  int day = reader.digits(2);
  if (!reader.next_is('t')) reader.literal('T');
  int hour = reader.digits(2);
  reader.literal(':');
  int minute = reader.digits(2);
  reader.literal(':');
  int second = reader.digits(2);
  int fraction = milliseconds_of_fraction(reader);
  auto offset = offset_of(reader);

  std::chrono::year_month_day date{std::chrono::year{year},
                                   std::chrono::month{static_cast<unsigned>(month)},
                                   std::chrono::day{static_cast<unsigned>(day)}};
  bool in_range = date.ok() && hour < 24 && minute < 60 && second < 60;
  if (!reader.sound || !reader.rest.empty() || !in_range) return std::nullopt;
  return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{hour} +
         std::chrono::minutes{minute} + Seconds{second} + Milliseconds{fraction} - offset;
}

}  // namespace gantry::api
