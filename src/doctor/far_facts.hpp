#pragma once

#include "base/error.hpp"
#include "doctor/facts.hpp"

#include <string_view>

namespace gantry::doctor {

/// The facts of a far machine, from what far_script printed there: all but `at`, the endpoint and
/// what the engine says. The machine may be anybody's, so nothing is taken that is not exactly what
/// the script prints. Refused: unavailable, `far_facts_unreadable`.
Result<Facts> read_far_facts(std::string_view said);

}  // namespace gantry::doctor
