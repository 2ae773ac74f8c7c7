#pragma once

#include "async/task.hpp"
#include "engine/client.hpp"
#include "engine/exec_end.hpp"

#include <string>

namespace gantry::engine {

/// end_exec for an exec of which nobody can say whether it has started: whoever asked for the start
/// has left meanwhile, or the engine was away for a moment. Waits a little until the engine tells.
/// Takes at most 80 s; never throws but when cancelled.
async::task<ExecEnd> end_lost_exec(Client& client, MarkedExec exec, std::string first);

}  // namespace gantry::engine
