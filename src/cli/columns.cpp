#include "cli/columns.hpp"

#include "base/text.hpp"
#include "cli/table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::cli {
namespace {

constexpr std::size_t short_id = 12;

std::string plain(const json::Value& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return std::string{value.as_string()};
  return json::serialize(value);
}

std::string short_of(std::string_view id) {
  constexpr std::string_view digest = "sha256:";
  if (id.starts_with(digest)) id.remove_prefix(digest.size());
  return std::string{id.substr(0, short_id)};
}

/// `service=db condition=started`, of the members that say something.
std::string members_in_line(const json::Object& object) {
  std::string line;
  for (const auto& [name, value] : object) {
    auto text = plain(value);
    if (text.empty() || text == "[]" || text == "{}") continue;
    line += fmt::format("{}{}={}", line.empty() ? "" : " ", std::string_view{name}, text);
  }
  return line;
}

/// `PATH=/bin`, of what has a name and a value.
std::string named(const json::Value& item) {
  const auto* name = member_at(item, "name");
  const auto* value = member_at(item, "value");
  if (name != nullptr && value != nullptr) {
    return fmt::format("{}={}", plain(*name), plain(*value));
  }
  return item.is_object() ? members_in_line(item.as_object()) : plain(item);
}

std::string listed(const json::Value& value) {
  std::vector<std::string> texts;
  if (value.is_array()) {
    for (const auto& item : value.as_array()) texts.push_back(named(item));
  } else if (value.is_object()) {
    for (const auto& [name, item] : value.as_object()) {
      texts.push_back(fmt::format("{}={}", std::string_view{name}, plain(item)));
    }
  } else {
    return plain(value);
  }
  // What has blanks itself is told apart by more than a comma.
  bool wide =
      std::ranges::any_of(texts, [](const std::string& text) { return text.contains(' '); });
  return fmt::format("{}", fmt::join(texts, wide ? ", " : ","));
}

std::string counted(const json::Value& value) {
  if (value.is_array()) return std::to_string(value.as_array().size());
  if (value.is_object()) return std::to_string(value.as_object().size());
  return plain(value);
}

std::string sized(const json::Value& value) {
  if (value.is_int64()) return size_text(value.as_int64());
  if (value.is_uint64()) return size_text(static_cast<std::int64_t>(value.as_uint64()));
  return plain(value);
}

/// Digits at a place of a fixed form.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int number = 0;
  if (at + count > text.size()) return std::nullopt;
  auto [rest, error] = std::from_chars(text.data() + at, text.data() + at + count, number);
  if (error != std::errc{} || rest != text.data() + at + count) return std::nullopt;
  return number;
}

/// `2026-11-22T10:15:00…Z`, to the second.
std::optional<WallTime> time_of(std::string_view text) {
  auto year = digits(text, 0, 4);
  auto month = digits(text, 5, 2);
  auto day = digits(text, 8, 2);
  auto hour = digits(text, 11, 2);
  auto minute = digits(text, 14, 2);
  auto second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second || !text.ends_with('Z')) {
    return std::nullopt;
  }
  auto date = std::chrono::year{*year} / *month / *day;
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         Seconds{*second};
}

void add_members(std::vector<Row>& rows, const std::string& prefix, const json::Value& value) {
  if (value.is_array() && !value.as_array().empty()) {
    // One below the other: a command's words and a variable's value may hold anything.
    for (const auto& item : value.as_array()) {
      rows.push_back({&item == value.as_array().data() ? prefix : "", named(item)});
    }
    return;
  }
  if (!value.is_object() || value.as_object().empty()) {
    rows.push_back({prefix, value.is_array() || value.is_object() ? "" : plain(value)});
    return;
  }
  for (const auto& [name, member] : value.as_object()) {
    auto path =
        prefix.empty() ? std::string{name} : fmt::format("{}.{}", prefix, std::string_view{name});
    add_members(rows, path, member);
  }
}

}  // namespace

const json::Value* member_at(const json::Value& value, std::string_view path) {
  const auto* at = &value;
  for (auto name : text::split(path, '.')) {
    if (!at->is_object()) return nullptr;
    at = at->as_object().if_contains(name);
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string age_of(std::string_view time, WallTime now) {
  auto then = time_of(time);
  if (!then) return std::string{time};
  auto seconds = std::chrono::duration_cast<Seconds>(now - *then).count();
  constexpr std::array<std::pair<std::int64_t, std::string_view>, 4> units{
      {{86'400, "day"}, {3'600, "hour"}, {60, "minute"}, {1, "second"}}};
  for (const auto& [length, unit] : units) {
    if (seconds < length) continue;
    auto count = seconds / length;
    return fmt::format("{} {}{} ago", count, unit, count == 1 ? "" : "s");
  }
  return "now";
}

std::string size_text(std::int64_t bytes) {
  constexpr std::array units{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (size /= 1024; size >= 1024 && unit + 1 < units.size(); ++unit) size /= 1024;
  return fmt::format("{:.1f} {}", size, units[unit]);
}

std::string cell(const Column& column, const json::Value& item, WallTime now) {
  const auto* value = member_at(item, column.path);
  if (value == nullptr) return "";
  switch (column.show) {
    case Column::Show::text:
      return plain(*value);
    case Column::Show::id:
      return short_of(plain(*value));
    case Column::Show::list:
      return listed(*value);
    case Column::Show::yes:
      return value->is_bool() && value->as_bool() ? "yes" : "";
    case Column::Show::age:
      return age_of(plain(*value), now);
    case Column::Show::size:
      return sized(*value);
    case Column::Show::count:
      return counted(*value);
  }
  return "";
}

std::string columns_of(std::span<const Column> columns, const json::Array& items, WallTime now) {
  Row head;
  for (const auto& column : columns) head.emplace_back(column.head);
  std::vector<Row> rows;
  for (const auto& item : items) {
    Row row;
    for (const auto& column : columns) row.push_back(cell(column, item, now));
    rows.push_back(std::move(row));
  }
  return table(head, rows);
}

std::string members_of(const json::Value& object) {
  std::vector<Row> rows;
  add_members(rows, "", object);
  return table({"MEMBER", "VALUE"}, rows);
}

}  // namespace gantry::cli
