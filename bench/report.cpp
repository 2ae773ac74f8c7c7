#include "report.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace gantry::bench {
namespace {

constexpr double left = 250;
constexpr double scale_width = 640;
constexpr double row_height = 20;
constexpr double group_height = 30;
// The scale reaches from 1 ms to 10 s.
constexpr double decades = 4;

double x_of(double milliseconds) {
  auto place = std::log10(std::clamp(milliseconds, 1.0, 10'000.0)) / decades;
  return left + place * scale_width;
}

std::string colour_of(const std::string& contender) {
  if (contender.starts_with("gantry docker, warm")) return "#1b7f5c";
  if (contender.starts_with("gantry")) return "#6bb39a";
  return "#9aa3ad";
}

std::string row(const Series& series, double y) {
  auto p50 = series.percentile(0.5);
  auto middle = y + row_height / 2;
  std::string out;
  out += fmt::format(R"(<text x="{}" y="{}" text-anchor="end">{}</text>)", left - 8, middle + 4,
                     series.contender);
  out += fmt::format(R"(<rect x="{}" y="{}" width="{:.1f}" height="{}" fill="{}"/>)", left, y + 3,
                     x_of(p50) - left, row_height - 6, colour_of(series.contender));
  out += fmt::format(R"(<line x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}" stroke="#333"/>)", x_of(p50),
                     x_of(series.percentile(0.9)), middle, middle);
  out += fmt::format(R"(<text x="{:.1f}" y="{}">{:.1f}</text>)", x_of(series.percentile(0.9)) + 6,
                     middle + 4, p50);
  return out + "\n";
}

std::string grid(double height) {
  std::string out;
  for (double ms : {1.0, 10.0, 100.0, 1000.0, 10'000.0}) {
    out +=
        fmt::format(R"(<line x1="{0:.1f}" x2="{0:.1f}" y1="40" y2="{1}" stroke="#ddd"/>)"
                    R"(<text x="{0:.1f}" y="{2}" text-anchor="middle" fill="#666">{3} ms</text>)",
                    x_of(ms), height - 24, height - 8, ms);
  }
  return out + "\n";
}

bool same_group(const Series& a, const Series& b) {
  return a.program == b.program && a.concurrency == b.concurrency;
}

}  // namespace

double Series::percentile(double share) const {
  if (milliseconds.empty()) return 0;
  auto sorted = milliseconds;
  std::ranges::sort(sorted);
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5)];
}

std::string table_of(const std::vector<Series>& all) {
  std::string out =
      "| program | at once | what | min ms | p50 | p90 | p99 | runs | not counted |\n"
      "|---|--:|---|--:|--:|--:|--:|--:|--:|\n";
  for (const auto& series : all) {
    out += fmt::format("| {} | {} | {} | {:.1f} | {:.1f} | {:.1f} | {:.1f} | {} | {} |\n",
                       series.program, series.concurrency, series.contender, series.percentile(0),
                       series.percentile(0.5), series.percentile(0.9), series.percentile(0.99),
                       series.milliseconds.size(), series.others);
  }
  return out;
}

std::string plot_of(const std::vector<Series>& all) {
  std::string rows;
  double y = 40;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == 0 || !same_group(all[i], all[i - 1])) {
      rows += fmt::format(R"(<text x="{}" y="{}" font-weight="bold">{}, {} at once</text>)", left,
                          y + 20, all[i].program, all[i].concurrency);
      y += group_height;
    }
    rows += row(all[i], y);
    y += row_height;
  }
  auto height = y + 40;
  return fmt::format(
             R"(<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="{0}" )"
             R"(font-family="sans-serif" font-size="12"><rect width="1000" height="{0}" )"
             R"(fill="white"/><text x="8" y="24" font-size="15">One program: bar p50, line to )"
             R"(p90, milliseconds, logarithmic</text>)",
             height) +
         "\n" + grid(height) + rows + "</svg>\n";
}

}  // namespace gantry::bench
