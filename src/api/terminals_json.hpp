#pragma once

#include "api/call.hpp"
#include "base/json.hpp"
#include "fleet/terminals.hpp"

#include <optional>
#include <string>

/// What the routes of terminals share.
namespace gantry::api {

/// What everybody who sees it may know of it: never its tickets.
json::Object terminal_json(const fleet::TerminalView& view);
/// `reason`, `exit_code`, `process`, `detail`.
json::Object terminal_end_json(const fleet::TerminalEnd& end);
/// Without what was shown.
json::Object recording_json(const fleet::Recording& recording);

/// The terminal, when the caller is an operator of its container now; nothing when it does not
/// exist for them.
std::optional<fleet::TerminalView> visible_terminal(const Call& call, const std::string& id);
/// Whether they may type to it, and end it: its owner, everybody who sees it when its owner wants
/// that; and admins of its host may end it.
bool may_type(const Call& call, const fleet::TerminalView& view);
bool may_end(const Call& call, const fleet::TerminalView& view);
Error no_such_terminal(std::string_view id);

/// `columns` and `rows`: both or none of them.
std::optional<engine::TerminalSize> read_size(json::Fields& fields);

}  // namespace gantry::api
