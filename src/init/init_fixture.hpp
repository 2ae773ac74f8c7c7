#pragma once

#include "init/init_harness.hpp"

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace gantry::init_test {

/// What is held up lasts as long as its program may: 20 s, if the test says nothing else.
inline constexpr std::chrono::milliseconds held_up{15'000};

/// A fresh init per test; skips, or fails under CI, where no pid namespace can be had.
class InitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static const std::string reason = Init::why_unavailable();
    if (reason.empty()) return;
    if (std::getenv("CI") != nullptr) FAIL() << reason;
    GTEST_SKIP() << reason;
  }

  Outcome run(const std::vector<std::string>& arguments, const Limits& limits = {}) {
    return init_.finish_after(program(arguments, limits) + frame('G'));
  }
  Outcome shell(const std::string& script, const Limits& limits = {}) {
    return run({"sh", "-c", script}, limits);
  }
  Outcome probe(const std::string& act, const Limits& limits = {}) {
    return run({init_.probe(), act}, limits);
  }

  Init init_;
};

}  // namespace gantry::init_test
