#pragma once

#include "access/rights.hpp"
#include "base/json.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Grants of users and tokens, as the API writes and reads them.
namespace gantry::api {

/// `{group, host, project, role, rights}`
json::Object grant_json(const access::Grant& grant);

/// The member `name` of an object, at most `max` grants; what is wrong is refused in `fields` by
/// its place: `items[0].role`. Empty, too, when there is no such member.
std::vector<access::Grant> read_grants(json::Fields& fields, std::string_view name,
                                       std::size_t max);

}  // namespace gantry::api
