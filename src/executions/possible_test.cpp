#include "executions/testing_fake.hpp"

namespace gantry::executions {
namespace {

/// An executor that is known not to give any network.
class PossibleTest : public ExecutionsFixture {
 protected:
  void SetUp() override {
    ExecutionsFixture::SetUp();
    Executions::Settings settings;
    settings.possible = [](const sandbox::Policy& policy, sandbox::ExecutorChoice) -> Result<> {
      if (policy.network == sandbox::Network::none) return ok;
      return fail(ErrorKind::unavailable, "network_not_available", "no");
    };
    start(std::move(settings));
  }
};

TEST_F(PossibleTest, WhatIsKnownToBeImpossibleIsRefusedAndKeptNowhere) {
  auto order = order_of(1);
  order.submissions[0].policy.network = sandbox::Network::outbound;
  auto placed = place(std::move(order));
  ASSERT_FALSE(placed);
  EXPECT_EQ(placed.error().code, "network_not_available");
  EXPECT_THAT(executions_->unfinished(everybodys), testing::IsEmpty());
}

TEST_F(PossibleTest, EverythingElseIsTaken) { EXPECT_TRUE(place(order_of(1))); }

}  // namespace
}  // namespace gantry::executions
