#pragma once

#include "executions/executions.hpp"
#include "fleet/view.hpp"

#include <string>
#include <string_view>

namespace gantry::api {

/// What a script without an image runs in.
inline constexpr std::string_view default_image = "alpine:latest";

/// The answer of `POST /execute` to a finished execution: the origin's six fields. Bytes that are
/// not UTF-8 become U+FFFD.
std::string execute_result(const executions::Record& record);
/// The same for what could not be run at all: `exit_code` -1, still a 200.
std::string execute_failure(std::string_view reason);

/// The counters as the origin's `GET /metrics` has them.
std::string metrics_json(const executions::Counters& counters);
/// The same for Prometheus (text format 0.0.4), with more of it.
std::string metrics_text(const executions::Counters& counters, const fleet::ContainerView& view,
                         std::string_view version, WallTime started_at);
/// Whether an Accept header asks for Prometheus' text.
bool wants_text(std::string_view accept);

}  // namespace gantry::api
