#include "sandbox/demand.hpp"

#include <gtest/gtest.h>

namespace gantry::sandbox {
namespace {

class DemandTest : public testing::Test {
 protected:
  void arrive(int count, Milliseconds apart) {
    for (int i = 0; i < count; ++i) {
      demand_.arrived(now_);
      now_ += apart;
    }
  }
  std::size_t wanted() const { return demand_.wanted(now_, 1, 8); }

  Demand demand_;
  SteadyTime now_ = SteadyTime{} + Seconds{1000};
};

TEST_F(DemandTest, WantsTheLeastBeforeAnythingIsKnown) { EXPECT_EQ(wanted(), 1U); }

TEST_F(DemandTest, WantsOneForProgramsThatComeOneByOne) {
  arrive(20, Milliseconds{10'000});
  EXPECT_EQ(wanted(), 1U);
}

TEST_F(DemandTest, WantsAsManyAsCameAtOnce) {
  arrive(5, Milliseconds{0});
  EXPECT_EQ(wanted(), 5U);
}

TEST_F(DemandTest, NeverWantsMoreThanTheMost) {
  arrive(100, Milliseconds{1});
  EXPECT_EQ(wanted(), 8U);
}

TEST_F(DemandTest, WantsMoreWhenMakingOneTakesLonger) {
  arrive(100, Milliseconds{250});
  auto quickly = wanted();
  for (int i = 0; i < 50; ++i) demand_.made(Milliseconds{1500});
  arrive(100, Milliseconds{250});
  EXPECT_LT(quickly, wanted());
}

TEST_F(DemandTest, ForgetsAPeakByHalfInTwoMinutes) {
  arrive(8, Milliseconds{0});
  now_ += Seconds{120};
  EXPECT_EQ(wanted(), 4U);
  now_ += Seconds{600};
  EXPECT_EQ(wanted(), 1U);
}

TEST_F(DemandTest, CountsArrivals) {
  arrive(3, Milliseconds{1});
  EXPECT_EQ(demand_.arrivals(), 3U);
}

}  // namespace
}  // namespace gantry::sandbox
