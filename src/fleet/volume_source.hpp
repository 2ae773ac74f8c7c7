#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"
#include "engine/new_container.hpp"
#include "engine/volumes.hpp"

#include <optional>
#include <string>
#include <vector>

namespace gantry::fleet {

/// The folder, file or disk of the host that the volume is; nothing when it has a room of its own,
/// or lies in another machine. `/` when it can not be told. The driver `local` mounts whatever its
/// options say, past everything that judges binds (CVE-2026-44849).
std::optional<std::string> source_on_host(const engine::Volume& volume);

/// The same of all volumes that a new container is to have and that are there already.
async::task<Result<std::vector<std::string>>> sources_on_host(engine::Client& client,
                                                              engine::NewContainer wanted);

}  // namespace gantry::fleet
