#pragma once

#include "base/json.hpp"
#include "fleet/view.hpp"

namespace gantry::api {

/// Whether it is one of our own sandboxes, which nobody is shown.
bool is_sandbox(const fleet::Container& container);

/// `{items, stale, as_of}`; our own sandboxes are left out.
json::Object containers_json(const fleet::ContainerView& view);

}  // namespace gantry::api
