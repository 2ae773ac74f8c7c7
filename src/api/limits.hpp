#pragma once

#include "api/call.hpp"
#include "fleet/view.hpp"
#include "sandbox/policy_bounds.hpp"

#include <vector>

namespace gantry::api {

/// The bounds of every limit as they are on this engine: no program gets more processors than the
/// engine has, as soon as that is known.
std::vector<sandbox::Bound> bounds_on(const fleet::ContainerView& view);

/// What the caller of `call` may ask for: the bounds of his role, as they are on this engine.
/// Who is nobody has those of a viewer.
sandbox::PolicyBounds bounds_for(const Call& call);

/// Whether a policy within `sandbox::bounds` keeps to those, too. Refused: `invalid_field`.
Result<> check_limits(const sandbox::Policy& policy, const fleet::ContainerView& view);

}  // namespace gantry::api
