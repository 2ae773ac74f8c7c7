#pragma once

#include "base/json.hpp"
#include "engine/containers.hpp"

namespace gantry::api {

/// Whether values that look secret are shown.
enum class Masking { masked, shown };

/// `ContainerDetails` of openapi.yaml. What comes from an engine is anybody's text: bounded here.
json::Object container_details_json(const engine::ContainerDetails& details, Masking masking);
/// `ContainerStats` of openapi.yaml.
json::Object container_stats_json(const engine::Stats& stats);
/// `ContainerProcesses` of openapi.yaml.
json::Object container_processes_json(const engine::ProcessTable& table);

}  // namespace gantry::api
