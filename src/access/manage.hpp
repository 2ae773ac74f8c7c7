#pragma once

#include "access/identity.hpp"
#include "access/rights.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "storage/database.hpp"

#include <cstddef>
#include <vector>

/// Refusals that several of Access's files share.
namespace gantry::access {

inline constexpr std::size_t users_max = 1'000;

/// `no_such_user` (not_found), with the id.
std::unexpected<Error> no_such_user(const UserId& id);

/// Making a user, or changing what somebody else is or signs in with, gives all of the user's
/// rights: a token that has only some scopes, or limits, would widen itself by it. Refused:
/// `role_too_low`, `token_limited`, `scope_missing`.
Result<> may_hand_out_rights(const Identity& by);

/// What the user is by now, which may be more than when the request came. Refused: `last_admin`.
Result<> keeps_an_admin(storage::Transaction& transaction, const User& user);

/// Of a list of grants, with names of hosts, for the audit log: `host web1 project shop: viewer`,
/// with ` +unmask` for each of its extras.
json::Array texts_of(const std::vector<Grant>& grants);

}  // namespace gantry::access
