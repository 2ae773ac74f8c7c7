#pragma once

#include "base/error.hpp"

namespace gantry::cli {

/// The command line or the settings are not understood (EX_USAGE of sysexits.h): none of those
/// that a report or a request ends with.
inline constexpr int exit_usage = 64;

/// How a command that was refused ends. 2, of a request that was, is no fault of the command line.
int exit_code_of(const Error& refusal);
/// The same of a command line that was never carried out.
int exit_code_of_usage(const Error& refusal);

/// What kept a doctor's report from being made. 0, 1 and 2 are what a report says, so this ends
/// otherwise.
Error without_report(Error error);

}  // namespace gantry::cli
