#pragma once

#include "access/rights.hpp"
#include "api/target.hpp"
#include "base/json.hpp"
#include "fleet/query.hpp"
#include "fleet/view.hpp"

#include <map>
#include <string>
#include <string_view>

namespace gantry::api {

/// Whether it is one of our own sandboxes, which nobody is shown.
bool is_sandbox(std::string_view name, const std::map<std::string, std::string>& labels);

/// One container as in lists.
json::Object container_json(std::string_view host, const fleet::Container& container);

/// `{items, next, total, hosts, stale, as_of}`, for who has these rights.
json::Object containers_json(const fleet::ContainerPage& page, const access::Rights& rights);

/// What the query of a request asks for; strict as all of our queries.
Result<fleet::ContainerQuery> read_container_query(Query& query);

}  // namespace gantry::api
