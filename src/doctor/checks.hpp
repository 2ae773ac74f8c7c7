#pragma once

#include "doctor/facts.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::doctor {

/// How bad it is, in rising order.
enum class State : std::uint8_t {
  skipped,  ///< It does not apply here.
  unseen,   ///< It may apply, and nobody can tell now: what it is about could not be looked at.
  ok,
  note,
  warning,
  failed,
};
std::string_view word(State state);
/// Whether anything was found, be it good or bad.
inline bool is_judged(State state) { return state >= State::ok; }
/// Nothing for any other word.
std::optional<State> parse_state(std::string_view word);

/// One thing to do: a sentence, and the command that does it where there is one.
struct Step {
  std::string what;
  std::string command = {};
};

/// What a check came to on this machine. A warning or a failure has a remedy.
struct Finding {
  State state = State::ok;
  std::string summary;
  std::vector<Step> remedy = {};
};

/// A row of the table. Judges by the facts alone, so that the same table serves this machine, a
/// far one, and tests.
struct Check {
  std::string_view id;           ///< For programs: `socket_group`.
  std::string_view title;        ///< For people, three words at most.
  std::string_view explanation;  ///< What it is about, and why it matters.
  Finding (*judge)(const Facts& facts);
  std::array<Part, 2> parts = {};  ///< Without these there is nothing to judge by.
};
std::span<const Check> all_checks();

struct Examined {
  const Check* check;
  Finding finding;
};
struct Report {
  Facts facts;
  std::vector<Examined> results;  ///< In the table's order.

  State worst() const;
  /// The first that failed: the cause; what comes after it often only follows from it.
  const Examined* cause() const;
  /// That of a check of the table.
  const Finding& finding(std::string_view id) const;
};
Report examine(Facts facts);

}  // namespace gantry::doctor
