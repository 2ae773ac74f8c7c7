#pragma once

#include "async/task.hpp"
#include "base/error.hpp"
#include "engine/client.hpp"

#include <map>
#include <string>
#include <vector>

namespace gantry::engine {

/// What one container holds on to, whether it runs or not.
struct ContainerUse {
  std::string id;
  std::string name;
  std::string state;
  std::string image_id;
  std::vector<std::string> volumes;   ///< Names.
  std::vector<std::string> networks;  ///< Names and ids.
  std::map<std::string, std::string> labels;
};

/// Of all containers there are.
async::task<Result<std::vector<ContainerUse>>> container_uses(Client& client);

}  // namespace gantry::engine
