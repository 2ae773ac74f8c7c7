#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "doctor/accounts.hpp"
#include "doctor/facts.hpp"

#include <string>
#include <string_view>

/// The command-line tools around Docker, by asking each for its version.
namespace gantry::doctor {

struct Tools {
  ToolFacts docker;
  ToolFacts compose_v1;  ///< `docker-compose`
  ToolFacts compose_v2;  ///< `docker compose`
  ToolFacts buildx;
  bool rootless_installed = false;  ///< `dockerd-rootless.sh`
};

/// `Docker version 20.10.24+dfsg1, build 297e128` and the like: the first word that has a digit
/// and a dot.
std::string version_in(std::string_view said);

/// Looks in `path` (as PATH). What does not answer in time is there, without a version.
async::task<Tools> look_for_tools(std::string path, std::string docker_config, Milliseconds limit);

/// The unit's main process and account, as systemd tells them. Refused: not_found,
/// `no_such_service`; unavailable, `no_systemd`; timed out.
struct Service {
  int pid = 0;  ///< 0: it does not run.
  std::string unit;
  ServiceAccount account;
};
async::task<Result<Service>> find_service(std::string name, std::string path, Milliseconds limit);

}  // namespace gantry::doctor
