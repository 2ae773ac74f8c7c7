#pragma once

#include "async/task.hpp"
#include "doctor/facts.hpp"

#include <string>

/// The command-line tools around Docker, by asking each for its version.
namespace gantry::doctor {

struct Tools {
  ToolFacts docker;
  ToolFacts compose_v1;  ///< `docker-compose`
  ToolFacts compose_v2;  ///< `docker compose`
  ToolFacts buildx;
};

/// Looks in `path` (as PATH). What does not answer in 2 s counts as not there.
async::task<Tools> look_for_tools(std::string path, std::string docker_config);

/// The unit's main process and account, as systemd tells them. Refused: not_found,
/// `no_such_service` (unknown, or not running); unavailable, `no_systemd`.
struct Service {
  int pid = 0;
  std::string unit;
};
async::task<Result<Service>> find_service(std::string name, std::string path);

}  // namespace gantry::doctor
