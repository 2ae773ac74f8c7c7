#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "doctor/facts.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace gantry::doctor {

/// Whom and what to look at.
struct Question {
  /// At most one of these; none: this process.
  std::optional<int> pid;
  std::string service;  ///< A systemd unit.
  std::string user;
  /// An endpoint instead of what `docker` would take.
  std::string endpoint;
};

/// Where things are found; tests and `main` fill it. The environment is read by `main` alone.
struct Environment {
  std::string docker_host;               ///< DOCKER_HOST
  std::string docker_context;            ///< DOCKER_CONTEXT
  std::filesystem::path docker_folder;   ///< DOCKER_CONFIG, or ~/.docker
  std::filesystem::path runtime_folder;  ///< XDG_RUNTIME_DIR; empty: none.
  std::string path;                      ///< PATH
  Clock clock;
};

/// Looks at this machine. Reads, runs `docker version` and the like with a deadline each, asks the
/// engine; changes nothing. Answers within 5 s also where nothing answers. Refused (not_found):
/// there is no such process, service or user.
async::task<Result<Facts>> gather(async::Executor executor, Question question,
                                  Environment environment);

}  // namespace gantry::doctor
