#pragma once

#include "async/task.hpp"
#include "base/error.hpp"

#include <string>

namespace gantry::cli {

/// Standard input to its end, at most `max` bytes (refused when there is more). Waits without
/// holding up the loop, so that Ctrl-C works on a pipe that never ends.
async::task<Result<std::string>> read_input(std::size_t max);

}  // namespace gantry::cli
