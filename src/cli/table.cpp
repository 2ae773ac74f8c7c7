#include "cli/table.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstdint>

namespace gantry::cli {
namespace {

/// The next character of valid UTF-8.
char32_t take(std::string_view& text) {
  auto first = static_cast<unsigned char>(text.front());
  std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  length = std::min(length, text.size());
  char32_t point = length == 1 ? first : first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    point = (point << 6U) | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  text.remove_prefix(length);
  return point;
}

bool is_wide(char32_t point) {
  return (point >= 0x1100 && point <= 0x115f) || (point >= 0x2e80 && point <= 0xa4cf) ||
         (point >= 0xac00 && point <= 0xd7a3) || (point >= 0xf900 && point <= 0xfaff) ||
         (point >= 0xfe30 && point <= 0xfe6f) || (point >= 0xff00 && point <= 0xff60) ||
         (point >= 0x1f300 && point <= 0x1faff) || (point >= 0x20000 && point <= 0x3fffd);
}

bool is_combining(char32_t point) { return point >= 0x300 && point <= 0x36f; }

}  // namespace

std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    auto point = take(text);
    if (!is_combining(point)) columns += is_wide(point) ? 2 : 1;
  }
  return columns;
}

std::string table(const Row& head, const std::vector<Row>& rows) {
  std::vector<Row> lines{head};
  for (const auto& row : rows) {
    Row line;
    for (const auto& cell : row) line.push_back(text::one_line(cell));
    lines.push_back(std::move(line));
  }
  std::vector<std::size_t> widths(head.size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < head.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
  }
  std::string out;
  for (const auto& line : lines) {
    std::string shown;
    for (std::size_t i = 0; i < head.size(); ++i) {
      shown += line[i];
      shown.append(widths[i] - width(line[i]) + 2, ' ');
    }
    out.append(shown, 0, shown.find_last_not_of(' ') + 1);
    out += '\n';
  }
  return out;
}

}  // namespace gantry::cli
