#pragma once

#include "api/call.hpp"
#include "sandbox/policy_bounds.hpp"

namespace gantry::api {

/// What the caller of `call` may ask for: the bounds of his role, and no more processors than the
/// engine has, as soon as that is known. Who is nobody has those of a viewer.
sandbox::PolicyBounds bounds_for(const Call& call);

}  // namespace gantry::api
