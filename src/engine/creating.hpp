#pragma once

#include "engine/client.hpp"
#include "engine/containers.hpp"

/// What the two forms of a container that is to be made share: a sandbox's (ContainerSpec), and
/// somebody's (NewContainer).
namespace gantry::engine {

/// Of `HostConfig.Mounts`.
json::Object mount_json(const VolumeMount& mount);

/// Makes a container of what is serialised already. An empty name: the engine gives it one.
async::task<Result<CreatedContainer>> create_serialised(Client& client, std::string name,
                                                        json::Value body);

}  // namespace gantry::engine
