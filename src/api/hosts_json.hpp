#pragma once

#include "access/rights.hpp"
#include "base/json.hpp"
#include "fleet/host.hpp"
#include "fleet/hosts.hpp"
#include "fleet/probe.hpp"

#include <optional>

namespace gantry::api {

/// A host as somebody with these rights sees it: who may not see the whole of it is told its name
/// and how it is, has only their own containers counted, and finds everything else empty; nobody
/// but an admin is told how it is logged in to. Secrets are never told, only which are set.
json::Object host_json(const fleet::Host& host, const access::Rights& rights);

/// Why a host is away, when it is. Who may not see the whole of it is told the code alone: the
/// words name endpoints, users and machines on the way.
std::optional<Error> host_error(const fleet::Host& host, const access::Rights& rights);

/// `{name, state, stale, as_of, error}`: how much of a list's host can be believed.
json::Object host_freshness_json(const fleet::Host& host, const access::Rights& rights);

/// `{ok, steps}`
json::Object probe_json(const fleet::Probe& probe);

/// The body of POST and PATCH: what is wrong about a single member is told by its name. What a host
/// is and needs is judged by fleet::fulfilled.
Result<fleet::HostWish> read_host_wish(const json::Value& value);

}  // namespace gantry::api
