#pragma once

#include "cli/commands.hpp"

#include <string>

namespace gantry::cli {

/// Asks on standard error and reads a line: whether somebody agrees. The end of the input is a no.
async::task<Result<bool>> agreed(Context& context, std::string question);

}  // namespace gantry::cli
