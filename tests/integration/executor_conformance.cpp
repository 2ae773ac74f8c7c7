#include "integration/executor_conformance.hpp"

#include <cstdlib>

namespace gantry::sandbox {

void AnExecutor::SetUp() {
  if (GetParam().kind == Subject::Kind::docker) {
    RealEngine::SetUp();
    if (!usable()) return;
    docker_ = std::make_unique<DockerExecutor>(
        executor(), engine(), DockerExecutor::Settings{.owner = owner_, .clock = {}});
    return;
  }
  // Nothing is prepared, so that each test begins with its own sandbox.
  local_ = std::make_unique<LocalExecutor>(
      executor(),
      LocalExecutor::Settings{.owner = owner_, .trust = Trust::everyone, .prepared_max = 0});
  auto usable_here = run(local_->probe());
  if (usable_here) return;
  if (std::getenv("CI") != nullptr) FAIL() << usable_here.error().sentence();
  GTEST_SKIP() << usable_here.error().sentence();
}

void AnExecutor::TearDown() {
  if (docker_) run(docker_->close());
  if (local_) run(local_->close());
  RealEngine::TearDown();
}

Program AnExecutor::python(std::string source) const {
  return {.language = "python",
          .image = docker_ ? "gantry/python:latest" : shipped_languages().find("python")->image,
          .command = {"python3", "-u", "main.py"},
          .files = {{"main.py", std::move(source), {}}},
          .entry = "main.py",
          .env = {},
          .input = {}};
}

Program AnExecutor::sh(std::string source) const {
  return {.language = "sh",
          .image = docker_ ? "gantry/sh:latest" : shipped_languages().find("sh")->image,
          .command = {"sh", "main.sh"},
          .files = {{"main.sh", std::move(source), {}}},
          .entry = "main.sh",
          .env = {},
          .input = {}};
}

Execution AnExecutor::execution(Program program, Policy policy) const {
  return {ExecutionId{random::word(26)}, std::move(program), std::move(policy)};
}

Observer AnExecutor::observer() {
  return {.progress = [](std::string) {},
          .serving = {},
          .started = [this](Stage) { ++started_; },
          .output =
              [this](OutputStream stream, std::string_view bytes) {
                (stream == OutputStream::standard_output ? out_ : err_).append(bytes);
              }};
}

Outcome AnExecutor::execute(Program program, Policy policy) {
  return run(subject().execute(execution(std::move(program), std::move(policy)), observer()));
}

}  // namespace gantry::sandbox
