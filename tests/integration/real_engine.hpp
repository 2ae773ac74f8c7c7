#pragma once

#include "async/testing_fake.hpp"
#include "base/random.hpp"
#include "engine/containers.hpp"
#include "engine/images.hpp"
#include "engine/volumes.hpp"

#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace gantry {

/// A test on the engine that GANTRY_TEST_ENGINE names: skipped, visibly, where there is none; a
/// failure when CI is set. Whatever carries the test's mark is removed after it.
class RealEngine : public testing::Test {
 public:
  static constexpr const char* image = "gantry/sh:latest";

 protected:
  void SetUp() override;
  void TearDown() override;

  /// Whether there is an engine: TearDown runs after a skip, too.
  bool usable() const { return client_ != nullptr; }
  engine::Client& engine() { return *client_; }
  async::Executor executor() { return loop_.executor(); }
  /// A name nobody else has.
  static std::string fresh_name() { return "gantry-test-" + random::word(12); }
  /// `io.gantry.test=<mark>`, what the test's own things are found by.
  std::string mark() const { return "io.gantry.test=" + mark_; }
  std::map<std::string, std::string> labels() const { return {{"io.gantry.test", mark_}}; }
  /// A container that sleeps.
  engine::ContainerSpec sleeper() const;
  /// `sh -c script`, attached.
  engine::ContainerSpec shell(std::string script) const;

  template <class T>
  T run(async::task<T> work) {
    return loop_.run(std::move(work));
  }
  void run(async::task<void> work) { loop_.run(std::move(work)); }
  /// Runs `work` and insists on its success.
  template <class T>
  T must(async::task<Result<T>> work) {
    return value_or_throw(run(std::move(work)));
  }
  std::string create(const engine::ContainerSpec& spec);
  std::string started(const engine::ContainerSpec& spec);

  async::TestLoop loop_;
  std::string mark_ = random::word(12);
  std::unique_ptr<engine::Client> client_;
};

}  // namespace gantry
