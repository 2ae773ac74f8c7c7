#include "cli/quantities.hpp"

#include "base/text.hpp"

#include <charconv>
#include <cmath>
#include <span>

#include <fmt/format.h>

namespace gantry::cli {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr Unit durations[] = {{"", 1e3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}};
constexpr double kib = 1024;
constexpr Unit sizes[] = {{"", 1},
                          {"b", 1},
                          {"k", kib},
                          {"kb", kib},
                          {"kib", kib},
                          {"m", kib* kib},
                          {"mb", kib* kib},
                          {"mib", kib* kib},
                          {"g", kib* kib* kib},
                          {"gb", kib* kib* kib},
                          {"gib", kib* kib* kib}};

Result<std::int64_t> parse(std::string_view text, std::span<const Unit> units,
                           std::string_view what, std::string_view examples) {
  auto refuse = [&] {
    return fail(ErrorKind::invalid, "bad_quantity",
                fmt::format("cannot read '{}' as {}", text::one_line(text), what),
                fmt::format("write it like {}", examples));
  };
  double number = 0;
  const auto* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc{} || !(number >= 0)) return refuse();
  auto unit = text::lowered({rest, static_cast<std::size_t>(end - rest)});
  for (const auto& known : units) {
    if (known.name != unit) continue;
    constexpr double largest = 1e15;
    auto value = std::round(number * known.factor);
    if (value < 1 || value > largest) return refuse();
    return static_cast<std::int64_t>(value);
  }
  return refuse();
}

}  // namespace

Result<std::int64_t> parse_duration(std::string_view text) {
  return parse(text, durations, "a duration", "500ms, 5s or 2m");
}

Result<std::int64_t> parse_size(std::string_view text) {
  return parse(text, sizes, "a size", "512k, 128m or 1g");
}

}  // namespace gantry::cli
