#pragma once

#include "cli/remote.hpp"
#include "main/command_line.hpp"

#include <CLI/CLI.hpp>

/// The grammar of the commands that `cli::verbs()` lists.
namespace gantry::main {

/// Adds them; `add_server` gives each the flags that say where the server is. What is read goes
/// into `flags.given`, by command and action.
void add_verbs(CLI::App& app, Flags& flags, void (*add_server)(CLI::App&, Flags&));

/// Makes of what people who know Docker write what the table has: `hosts` is `hosts list`, `volumes
/// list` is `volumes ls`, `hosts rm` is `hosts remove`.
void spell_out(Words& arguments);

/// The verb that a command and an action name; nullptr when it is not one of the table.
const cli::Verb* find_verb(std::string_view command, std::string_view action);

}  // namespace gantry::main
