#pragma once

#include "base/json.hpp"
#include "fleet/view.hpp"

#include <map>
#include <string>
#include <string_view>

namespace gantry::api {

/// Whether it is one of our own sandboxes, which nobody is shown.
bool is_sandbox(std::string_view name, const std::map<std::string, std::string>& labels);

/// `{items, stale, as_of}`
json::Object containers_json(const fleet::HostView& view);

}  // namespace gantry::api
