#pragma once

#include "cli/commands.hpp"
#include "main/command_line.hpp"
#include "main/options.hpp"

#include <CLI/CLI.hpp>

/// The grammar of `gantry doctor`.
namespace gantry::main {

/// Adds the command and its flags.
void add_doctor(CLI::App& app, Flags& flags);

/// Where the doctor finds this machine's tools and settings.
doctor::Environment doctor_environment(const Surroundings& world);

/// Whether standard output is a terminal whose user likes colours.
bool shows_colours(const Surroundings& world);

/// Of the terminal that standard output is, in columns; 0: it is none.
std::size_t screen_width();

/// Refused (`bad_usage`): a group id that is none.
Result<cli::DoctorCommand> doctor_command(const Flags& flags, const Surroundings& world);

}  // namespace gantry::main
