#pragma once

#include "access/identity.hpp"
#include "base/json.hpp"

namespace gantry::api {

/// `{id, name, role}`
json::Object user_json(const access::UserId& id, std::string_view name, access::Role role);

/// A member that is a role's word; refused in `fields` when it is none.
access::Role read_role(json::Fields& fields);

}  // namespace gantry::api
