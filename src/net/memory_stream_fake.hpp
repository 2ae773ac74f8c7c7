#pragma once

#include "net/stream.hpp"

#include <memory>
#include <utility>

namespace gantry::net {

/// The two ends of a connection that never leaves the process. Each direction holds 64 KiB; a
/// writer waits for room, as with a socket.
std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> memory_streams(
    const async::Executor& executor);

}  // namespace gantry::net
