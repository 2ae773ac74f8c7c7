#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"

namespace gantry::engine {

/// The same bytes, once their beginning has been seen not to be a compressed archive's: engines
/// run decompressors on those, some of them the container's own, as root (CVE-2026-41567).
async::task<Result<Source>> uncompressed(Doing doing, Source tar);

}  // namespace gantry::engine
