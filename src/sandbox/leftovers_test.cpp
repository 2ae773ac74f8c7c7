#include "sandbox/leftovers.hpp"

#include "sandbox/slots.hpp"

#include <gtest/gtest.h>

namespace gantry::sandbox {
namespace {

constexpr WallTime now{Seconds{1'790'000'000}};

/// A container of server1 that is past its deadline only by the grace anybody gives.
engine::ContainerSummary container(std::string kind, std::string name) {
  engine::ContainerSummary container;
  container.names = {std::move(name)};
  container.labels = {{"io.gantry.kind", std::move(kind)},
                      {"io.gantry.owner", "server1"},
                      {"io.gantry.execution", "run1"},
                      {"io.gantry.deadline", "1789999999"}};
  return container;
}

Keeper keeper(std::string owner, bool knows) {
  return {.owner = std::move(owner), .knows = [knows](const std::string&) { return knows; }};
}

class Leftover : public testing::TestWithParam<const char*> {};

TEST_P(Leftover, OfThisServerIsWhatItDoesNotKnow) {
  auto one = container(GetParam(), Slots::container_name(Slots::first));
  EXPECT_TRUE(left_behind(one, keeper("server1", false), now));
  EXPECT_FALSE(left_behind(one, keeper("server1", true), now));
}

TEST_P(Leftover, OfAnotherServerIsWhatIsLongPastItsDeadline) {
  auto one = container(GetParam(), Slots::container_name(Slots::first));
  EXPECT_FALSE(left_behind(one, keeper("server2", false), now));
  EXPECT_TRUE(left_behind(one, keeper("server2", false), now + Seconds{90}));
}

TEST_P(Leftover, IsNothingThatOnlyHasOurLabels) {
  EXPECT_FALSE(left_behind(container(GetParam(), "web"), keeper("server1", false), now));
}

INSTANTIATE_TEST_SUITE_P(OfKind, Leftover, testing::Values("sandbox", "network"));

TEST(LeftoverTest, IsNothingOfAnUnknownKind) {
  auto one = container("web", Slots::container_name(Slots::first));
  EXPECT_FALSE(left_behind(one, keeper("server1", false), now));
}

}  // namespace
}  // namespace gantry::sandbox
