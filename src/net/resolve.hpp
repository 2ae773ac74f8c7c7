#pragma once

#include "async/task.hpp"

#include <string>
#include <vector>

namespace gantry::net {

/// The addresses of a host as texts, at most 16, as the system's own resolver tells them; an
/// address is its own. Throws Failure, unavailable: `name_unknown`, `resolver_missing`. Limits on
/// waiting are the caller's: cancelled, it ends at once.
async::task<std::vector<std::string>> resolve(std::string host);

}  // namespace gantry::net
