#pragma once

#include "access/identity.hpp"
#include "api/call.hpp"
#include "sandbox/policy_bounds.hpp"

namespace gantry::api {

/// What somebody of that role may ask for, and no more processors than the engine has, as soon as
/// that is known.
sandbox::PolicyBounds bounds_of(const Services& services, access::Role role);

/// What the caller of `call` may ask for: the bounds of his role and, within them, of his token.
/// Who is nobody has those of a viewer. Throws Failure when the token's can not be read.
sandbox::PolicyBounds bounds_for(const Call& call);

}  // namespace gantry::api
