#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "doctor/facts.hpp"
#include "doctor/usual.hpp"
#include "net/endpoint.hpp"
#include "net/stream.hpp"

#include <filesystem>
#include <functional>
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
  /// Reach out and run something, too: DeepFacts.
  bool deep = false;
  /// What this process is, where nobody else is asked about.
  Subject::Kind kind = Subject::Kind::self;
};

/// Runs a program as strangers' programs are run, on the engine at `endpoint`, and takes away
/// what it made. Refused: `no_canary_image` where the engine has none to run it in; why it can not.
using RunCanary = std::function<async::task<Result<Canary>>(
    async::Executor executor, net::Connect connect, net::Endpoint endpoint)>;

/// Where things are found; tests and `main` fill it. The environment is read by `main` alone.
struct Environment {
  std::string docker_host;                 ///< DOCKER_HOST
  std::string docker_context;              ///< DOCKER_CONTEXT
  std::string docker_tls;                  ///< DOCKER_TLS: TLS without a check of who answers.
  std::string docker_tls_verify;           ///< DOCKER_TLS_VERIFY
  std::filesystem::path docker_cert_path;  ///< DOCKER_CERT_PATH; empty: Docker's folder.
  std::filesystem::path docker_folder;     ///< DOCKER_CONFIG, or ~/.docker
  std::filesystem::path runtime_folder;    ///< XDG_RUNTIME_DIR; empty: none.
  std::string path;                        ///< PATH
  std::filesystem::path daemon_settings = usual_settings;
  RunCanary run_canary = {};  ///< Absent: the sandbox is not tried.
  /// What hangs is given up in time for this; the rest of the report is there.
  Milliseconds whole_time{4'700};
  Clock clock = {};
};

/// Looks at this machine. Reads, runs `docker version` and the like, asks the engine; changes
/// nothing. Answers within 5 s also where nothing answers (Facts::late), with `deep` within 45 s.
/// Refused (not_found): there is no such process, service or user.
async::task<Result<Facts>> gather(async::Executor executor, Question question,
                                  Environment environment);

}  // namespace gantry::doctor
