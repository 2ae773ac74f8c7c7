#pragma once

#include "access/access.hpp"
#include "access/identity.hpp"
#include "api/call.hpp"
#include "base/json.hpp"

namespace gantry::api {

/// `{id, name, role}`
json::Object user_json(const access::UserId& id, std::string_view name, access::Role role);

/// A member that is a role's word; refused in `fields` when it is none.
access::Role read_role(json::Fields& fields);

/// Gives the browser the cookies of somebody who has signed in.
void add_session(const Call& call, const access::SignedIn& signed_in, Reply& reply);

}  // namespace gantry::api
