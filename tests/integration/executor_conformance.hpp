#pragma once

#include "integration/real_engine.hpp"
#include "sandbox/docker_executor.hpp"
#include "sandbox/local_executor.hpp"

#include <memory>
#include <string>

namespace gantry::sandbox {

/// What the implementations do not have in common. Everything else they have.
struct Differences {
  bool images = true;  ///< Serves any image; otherwise the machine's own /usr.
};

/// One implementation under the suite.
struct Subject {
  enum class Kind { docker, local } kind;
  const char* name;
  Differences differences;
};

/// Runs programs in one implementation and remembers what they said.
class AnExecutor : public RealEngine, public testing::WithParamInterface<Subject> {
 protected:
  void SetUp() override;
  void TearDown() override;

  Executor& subject() { return docker_ ? static_cast<Executor&>(*docker_) : *local_; }
  Program python(std::string source) const;
  Program sh(std::string source) const;
  Execution execution(Program program, Policy policy = {}) const;
  Observer observer();
  Outcome execute(Program program, Policy policy = {});
  /// Whether too much memory is told from other ends.
  bool limits_memory() const { return docker_ || local_->capabilities().memory; }

  std::string owner_ = "test-" + random::word(12);
  std::unique_ptr<DockerExecutor> docker_;
  std::unique_ptr<LocalExecutor> local_;
  std::string out_;
  std::string err_;
  int started_ = 0;
};

}  // namespace gantry::sandbox
