#pragma once

#include "base/error.hpp"
#include "cli/commands.hpp"
#include "main/command_line.hpp"

#include <string>

/// What `gantry exec` has been told: a program in a sandbox of its own, or a command in a container
/// that is there.
namespace gantry::main {

/// Refuses (invalid) what is no variable, duration or size.
Result<cli::ExecCommand> exec_command(const Flags& flags, Words program);

/// Whether the words of `gantry exec` begin with a container.
bool means_container(const Flags& flags);
/// `term` is what TERM says of this screen. Refuses (invalid, `bad_usage`) flags that are only for
/// programs, and no words at all. Where the server is is not told.
Result<cli::ContainerExecCommand> container_exec_command(const Flags& flags, Words words,
                                                         std::string term);

}  // namespace gantry::main
