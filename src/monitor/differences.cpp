#include "monitor/differences.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace gantry::monitor {
namespace {

const Outcome* find(const std::vector<Outcome>& outcomes, const std::string& id) {
  auto found = std::ranges::find(outcomes, id, &Outcome::id);
  return found == outcomes.end() ? nullptr : &*found;
}

/// What is counted and measured, and another number each time.
constexpr std::array<std::string_view, 7> units{"%", "bytes", "kB", "MB", "GB", "TB", "files"};

bool is_number(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789.") == word.npos;
}

/// The words of a summary, without quantities and their units.
std::vector<std::string_view> words_of(std::string_view summary) {
  std::vector<std::string_view> words;
  for (auto word : text::split(summary, ' ')) {
    auto bare = word.ends_with(',') ? word.substr(0, word.size() - 1) : word;
    bool is_unit = std::ranges::find(units, bare) != units.end();
    if (is_unit && !words.empty() && is_number(words.back())) {
      words.pop_back();
    } else {
      words.push_back(word);
    }
  }
  return words;
}

bool is_news(const Outcome& before, const Outcome& after) {
  using enum doctor::State;
  if (after.state == unseen) return false;
  if (before.state == unseen) return after.state >= warning;
  if (before.state != after.state) return true;
  return after.state >= warning && words_of(before.summary) != words_of(after.summary);
}

}  // namespace

std::vector<Outcome> outcomes_of(const doctor::Report& report) {
  std::vector<Outcome> outcomes;
  for (const auto& one : report.results) {
    if (outcomes.size() == outcomes_max) break;
    auto summary = text::one_line(one.finding.summary);
    outcomes.push_back({.id = std::string{one.check->id},
                        .title = std::string{one.check->title},
                        .state = one.finding.state,
                        .summary = text::shortened(summary, summary_max),
                        .at = report.facts.at});
  }
  return outcomes;
}

std::vector<Outcome> last_seen(const std::vector<Outcome>& before, std::vector<Outcome> now) {
  for (auto& one : now) {
    const auto* then = find(before, one.id);
    if (one.state == doctor::State::unseen && then != nullptr) one = *then;
  }
  return now;
}

std::vector<Difference> differences(const std::vector<Outcome>& before,
                                    const std::vector<Outcome>& after) {
  std::vector<Difference> all;
  for (const auto& now : after) {
    const auto* then = find(before, now.id);
    if (then == nullptr) {
      all.push_back({.before = std::nullopt, .after = now});
    } else if (is_news(*then, now)) {
      all.push_back({.before = *then, .after = now});
    }
  }
  for (const auto& then : before) {
    if (find(after, then.id) == nullptr) all.push_back({.before = then, .after = std::nullopt});
  }
  return all;
}

}  // namespace gantry::monitor
