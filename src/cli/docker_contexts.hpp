#pragma once

#include "base/error.hpp"
#include "base/json.hpp"
#include "engine/docker_contexts.hpp"

#include <filesystem>
#include <string>
#include <string_view>

/// The contexts of Docker's own client, as hosts of ours.
namespace gantry::cli {

/// The body of POST /api/v1/hosts.
json::Object host_body(const engine::DockerContext& context, const std::string& host_name);

/// As `docker context export` wrote it. Refused as engine::read_docker_context refuses.
Result<engine::DockerContext> read_exported_context(const std::filesystem::path& file);

/// What can be a host's name, of any name: `My Server` becomes `my-server`.
std::string host_name_of(std::string_view name);

}  // namespace gantry::cli
