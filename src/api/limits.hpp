#pragma once

#include "fleet/view.hpp"
#include "sandbox/policy.hpp"

#include <vector>

namespace gantry::api {

/// The bounds of every limit as they are on this engine: no program gets more processors than the
/// engine has, as soon as that is known.
std::vector<sandbox::Bound> bounds_on(const fleet::ContainerView& view);

/// Whether a policy within `sandbox::bounds` keeps to those, too. Refused: `invalid_field`.
Result<> check_limits(const sandbox::Policy& policy, const fleet::ContainerView& view);

}  // namespace gantry::api
