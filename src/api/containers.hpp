#pragma once

#include "base/json.hpp"
#include "fleet/view.hpp"

namespace gantry::api {

/// `{items, stale, as_of}`; our own sandboxes are left out.
json::Object containers_json(const fleet::ContainerView& view);

}  // namespace gantry::api
