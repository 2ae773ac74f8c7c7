#pragma once

#include "api/call.hpp"
#include "api/host_access.hpp"
#include "base/json.hpp"
#include "engine/container_uses.hpp"
#include "fleet/fleet.hpp"
#include "fleet/inventory.hpp"
#include "fleet/operations.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// What the routes of a host's images, volumes, networks and projects share.
namespace gantry::api {

using HostPointer = std::shared_ptr<fleet::Host>;

/// Refused: `hidden` when they may not even see it, denied when their role is too low.
Result<> check_role(const Call& call, const fleet::Host& host, std::string_view project,
                    access::Role needed, const Error& hidden);
/// The role that a change takes: what the sandboxes use themselves is changed by admins alone.
access::Role role_to_change(const std::map<std::string, std::string>& labels,
                            access::Role otherwise);
/// The Compose project that labels name; empty: none.
std::string project_in(const std::map<std::string, std::string>& labels);

/// `cannot find volume 'x' on 'local': there is none of that name` (not_found, `no_such_volume`):
/// the same whether it is not there or may not be seen.
Error no_such(std::string_view thing, std::string_view name, const fleet::Host& host);

/// The change that this call asks for, ready for fleet::Operations.
fleet::Operation operation(const Call& call, const fleet::Host& host, std::string action,
                           std::string object, json::Object parameters = {});

/// Which containers may be named to the caller: not our sandboxes, and none of hidden projects.
fleet::MayTell may_tell(const Call& call, const fleet::Host& host);
/// `[{id, name, state}]`; others are only counted, in `others`.
json::Object used_by_json(const fleet::UsedBy& users);

/// On one line, and masked where the name says secret.
json::Object labels_json(const std::map<std::string, std::string>& labels);
json::Array lines_json(const std::vector<std::string>& texts);
json::Value line_json(std::string_view text);

/// Up to 64 texts by name, as in a new object's `labels` and `options`. Labels of Gantry's own are
/// refused.
std::map<std::string, std::string> read_labels(json::Fields& fields);
std::map<std::string, std::string> read_options(json::Fields& fields);

}  // namespace gantry::api
