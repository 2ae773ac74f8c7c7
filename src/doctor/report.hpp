#pragma once

#include "base/json.hpp"
#include "doctor/checks.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace gantry::doctor {

/// Counted up when a member changes its meaning or goes; new ones may come without.
inline constexpr int report_version = 1;

enum class Colour : std::uint8_t { none, ansi };

/// What a report is written on.
struct Paper {
  Paper(Colour colour, std::size_t width = 0) : colour{colour}, width{width} {}
  Colour colour;
  std::size_t width;  ///< Columns; 0: lines are as long as they are.
};

/// What people are shown of a report, be it made here or told by a server.
struct Outline {
  struct Row {
    std::string id;
    std::string title;
    State state = State::unseen;
    std::string summary;
    std::string explanation;
    std::vector<Step> remedy;
  };

  std::string machine;
  std::string place;  ///< Of a machine that is not this one.
  bool in_container = false;
  std::string subject;  ///< Empty: nobody's account was looked at.
  std::string user;
  State state = State::ok;
  std::string verdict;  ///< All of it in one sentence.
  std::vector<Row> rows;
};
Outline outline_of(const Report& report);
/// Of what `json_of` has made, here or elsewhere: nothing in it is trusted. Refused (invalid): it
/// is no report, or one of another version (`other_version`).
Result<Outline> read_report(const json::Value& report);

/// For people: a line for each check, with explanation and remedy where something is wrong.
/// Control characters are shown, not obeyed.
std::string text_of(const Outline& outline, Paper paper);
std::string text_of(const Report& report, Paper paper);

/// For programs: `{version, at, machine, subject, endpoint, state, verdict, cause, checks:
/// [{id, title, state, summary, explanation, remedy: [{what, command}]}]}`; docs/doctor.md
/// describes it.
json::Object json_of(const Report& report);

/// 0: Docker can be used as it should be; 1: it can be used, and something is to be mended; 2: it
/// can not, or only because anybody can.
int exit_code_of(State worst);
int exit_code_of(const Report& report);

}  // namespace gantry::doctor
