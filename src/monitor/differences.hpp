#pragma once

#include "base/clock.hpp"
#include "doctor/checks.hpp"

#include <optional>
#include <string>
#include <vector>

namespace gantry::monitor {

/// How a check came out.
struct Outcome {
  std::string id;
  std::string title;
  doctor::State state = doctor::State::unseen;
  std::string summary;
  WallTime at;  ///< Of the last report in which it came out so.

  bool operator==(const Outcome&) const = default;
};

/// Of one report; more are cut off.
inline constexpr std::size_t outcomes_max = 128;
/// In bytes; longer ones are cut.
inline constexpr std::size_t summary_max = 1'024;
/// A line each, as they are kept, compared and told.
std::vector<Outcome> outcomes_of(const doctor::Report& report);

/// A check that comes out otherwise than before; nothing on one side: there was, or is, none such.
struct Difference {
  std::optional<Outcome> before;
  std::optional<Outcome> after;

  const Outcome& either() const { return after ? *after : *before; }
  bool operator==(const Difference&) const = default;
};

/// `now`, with what was seen last of the checks that could not be seen in it: an engine that is
/// away hides a dozen of them, which says nothing of how they will be when it is back.
std::vector<Outcome> last_seen(const std::vector<Outcome>& before, std::vector<Outcome> now);

/// What is worth telling, in the order of `after`, and then what is gone. Another state always is,
/// and so is a check that was not there or is not any more. Another summary is where both are
/// warnings or failures: it may be another group, another port; but not that 8 % of a disk are free
/// where it was 9 %. What is in order may say so in other words, and that is no news. A check that
/// was never seen before is none either, unless it comes out as a warning or a failure.
std::vector<Difference> differences(const std::vector<Outcome>& before,
                                    const std::vector<Outcome>& after);

}  // namespace gantry::monitor
