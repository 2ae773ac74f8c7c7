#pragma once

#include "base/clock.hpp"
#include "engine/exec_ender.hpp"

namespace gantry::sandbox {

/// What ends execs in containers without a shell: our program, in containers that are called as
/// sandboxes are. So no list shows them, nobody takes their names, and one that a killed server has
/// left is removed when its time is over, by whichever server follows that host
/// (fleet/left_enders.hpp).
engine::Ender ender(Clock clock);

}  // namespace gantry::sandbox
