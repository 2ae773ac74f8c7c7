#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "engine/exec_ender.hpp"
#include "fleet/fleet.hpp"

namespace gantry::fleet {

/// Removes, on every connected host, the containers of enders that nobody removes any more: their
/// server was killed, or the way to the host broke. No list shows them, so nobody else would. Looks
/// for them at once and then every `pause`; to be cancelled when the server stops.
async::task<void> remove_left_enders(Fleet& fleet, engine::Ender ender, Milliseconds pause);

}  // namespace gantry::fleet
