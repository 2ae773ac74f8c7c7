#include "base/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace gantry::text {
namespace {

// A flag or a key of a configuration is shorter; what is longer is no slip of the hand.
constexpr std::size_t word_max = 64;

/// Damerau's and Levenshtein's distance, of words whose letters are moved once at most.
std::size_t keystrokes_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before;
  std::vector<std::size_t> above(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> row(b.size() + 1);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      bool same = a[i - 1] == b[j - 1];
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::exchange(above, std::move(row));
  }
  return above[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string> known) {
  if (word.empty() || word.size() > word_max) return std::nullopt;
  std::size_t fewest = word.size() <= 4 ? 2 : 3;
  std::optional<std::string_view> found;
  for (const auto& one : known) {
    if (one.size() > word_max) continue;
    auto distance = keystrokes_between(word, one);
    if (distance >= fewest) continue;
    fewest = distance;
    found = one;
  }
  return found;
}

}  // namespace gantry::text
