#include "sandbox/verdict.hpp"

#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

TEST(VerdictTest, EveryVerdictIsReadBackFromItsWord) {
  EXPECT_EQ(verdict_from("ok"), Verdict::ok);
  EXPECT_EQ(verdict_from(word(Verdict::cpu_exceeded)), Verdict::cpu_exceeded);
  EXPECT_EQ(verdict_from("infrastructure_error"), Verdict::infrastructure_error);
  EXPECT_EQ(verdict_from(""), std::nullopt);
  EXPECT_EQ(verdict_from("OK"), std::nullopt);
}

TEST(VerdictTest, SignalsHaveTheNamesPeopleKnow) {
  EXPECT_EQ(signal_name(9), "SIGKILL");
  EXPECT_EQ(signal_name(11), "SIGSEGV");
  EXPECT_EQ(signal_name(70), "signal 70");
  EXPECT_EQ(signal_name(-1), "signal -1");
}

}  // namespace
}  // namespace gantry::sandbox
