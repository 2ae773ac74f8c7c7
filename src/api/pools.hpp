#pragma once

#include "api/call.hpp"
#include "sandbox/pool.hpp"

#include <vector>

namespace gantry::api {

/// What waits for programs, without what would tell the caller which images others run.
std::vector<sandbox::PoolView> visible_pools(const Call& call);

}  // namespace gantry::api
