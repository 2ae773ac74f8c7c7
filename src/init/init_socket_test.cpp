#include "init/init_fixture.hpp"
#include "init/init_harness.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

// What lies in sockets, where version 1 of the control groups does not charge it.

namespace gantry::init_test {
namespace {

class SocketTest : public InitTest {
 protected:
  void limit(const std::string& bytes) {
    init_.write_counter("memory/memory.usage_in_bytes", "2000000\n");
    init_.write_counter("memory/memory.limit_in_bytes", bytes + "\n");
    init_.write_counter("memory/memory.stat", "cache 1\ninactive_file 0\nactive_file 0\n");
  }
};

TEST_F(SocketTest, BuffersThatPassTheLimitEndTheRun) {
  limit("5000000");

  const auto outcome = probe("fill-sockets");

  EXPECT_EQ(outcome.verdict->cause, 4);
  EXPECT_EQ(outcome.verdict->signal, 9);
  EXPECT_EQ(outcome.verdict->memory_peak, 5'000'000U);
  EXPECT_LT(outcome.verdict->wall_us, 900'000U);
}

TEST_F(SocketTest, InitRestsWhileAnInterpreterDoesNotListen) {
  limit("50000000");
  init_.start();
  init_.send(boot({init_.probe(), "deafen"}));
  ASSERT_TRUE(init_.wait_for_frame('w'));
  std::string frames = limits_frame({.wall_ms = 1'000, .flags = waiting_interpreter});
  for (int i = 0; i < 4; ++i) frames += frame('A', std::string(60'000, 'x'));
  const auto outcome = init_.finish_sent(frames + frame('G'));

  EXPECT_EQ(outcome.verdict->cause, 2);
  EXPECT_LT(outcome.cpu_time, std::chrono::milliseconds{600});
}

TEST_F(SocketTest, BuffersBelowTheLimitAreTheProgramsOwn) {
  limit("50000000");

  const auto outcome = probe("fill-sockets");

  EXPECT_EQ(outcome.verdict->cause, 0);
  EXPECT_EQ(outcome.out, "full");
}

TEST_F(SocketTest, CopiesOfFilesDoNotCount) {
  limit("7500000");
  init_.write_counter("memory/memory.usage_in_bytes", "7000000\n");
  init_.write_counter("memory/memory.stat", "inactive_file 5000000\nactive_file 1900000\n");

  EXPECT_EQ(probe("fill-sockets").verdict->cause, 0);
}

TEST_F(SocketTest, WhereTheKernelLimitsThemNobodyLooks) {
  limit("5000000");
  init_.write_counter("memory/memory.kmem.tcp.limit_in_bytes", "5000000\n");

  EXPECT_EQ(probe("fill-sockets").verdict->cause, 0);
}

TEST_F(SocketTest, WithoutTheFilesOfVersionOneNobodyLooks) {
  EXPECT_EQ(probe("fill-sockets").verdict->cause, 0);
}

}  // namespace
}  // namespace gantry::init_test
