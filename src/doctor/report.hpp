#pragma once

#include "base/json.hpp"
#include "doctor/checks.hpp"

#include <cstdint>
#include <string>

namespace gantry::doctor {

/// Counted up when a member changes its meaning or goes; new ones may come without.
inline constexpr int report_version = 1;

enum class Colour : std::uint8_t { none, ansi };

/// For people: a line for each check, with explanation and remedy where something is wrong.
std::string text_of(const Report& report, Colour colour);

/// For programs: `{version, at, machine, subject, endpoint, state, cause, checks: [{id, title,
/// state, summary, explanation, remedy: [{what, command}]}]}`; docs/doctor.md describes it.
json::Object json_of(const Report& report);

/// 0: Docker can be used as it should be; 1: it can be used, and something is to be mended; 2: it
/// can not, or only because anybody can.
int exit_code_of(const Report& report);

}  // namespace gantry::doctor
