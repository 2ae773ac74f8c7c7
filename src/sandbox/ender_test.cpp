#include "sandbox/ender.hpp"

#include "sandbox/leftovers.hpp"
#include "sandbox/slots.hpp"
#include "sandbox/tar.hpp"

#include <gtest/gtest.h>

namespace gantry::sandbox {
namespace {

class EnderTest : public testing::Test {
 protected:
  engine::ContainerSummary container() const {
    auto dress = ender_.dress();
    return {.id = {}, .names = {dress.name}, .labels = dress.labels};
  }
  bool is_left_behind(Seconds later) const {
    Keeper keeper{.owner = "us", .knows = [](const std::string&) { return false; }};
    return left_behind(container(), keeper, now_ + later);
  }

  WallTime now_{Seconds{1'800'000'000}};
  engine::Ender ender_ = ender(Clock{[this] { return now_; }});
};

TEST_F(EnderTest, ItsContainersAreCalledAsSandboxesAre) {
  EXPECT_TRUE(Slots::is_container_name(container().names.front()));
}

TEST_F(EnderTest, NobodySweepsOneThatMayBeAtWork) {
  EXPECT_FALSE(is_left_behind(Seconds{60}));
  EXPECT_TRUE(is_left_behind(Seconds{600}));
}

TEST_F(EnderTest, ItKnowsOneThatIsLeftByItsNameAndItsTime) {
  auto one = container();
  EXPECT_FALSE(ender_.is_left(one));
  now_ += Seconds{600};
  EXPECT_TRUE(ender_.is_left(one));
  auto of_an_image_with_our_labels = one;
  of_an_image_with_our_labels.names = {"web"};
  EXPECT_FALSE(ender_.is_left(of_an_image_with_our_labels));
  auto sandbox = one;
  sandbox.labels["io.gantry.owner"] = "another server";
  EXPECT_FALSE(ender_.is_left(sandbox));
}

TEST_F(EnderTest, ItsArchiveHoldsOneProgram) {
  auto program = tar::regular_file(ender_.archive, "gantry-ender", 1U << 20U);
  ASSERT_TRUE(program);
  EXPECT_TRUE(program->starts_with("\177ELF"));
}

}  // namespace
}  // namespace gantry::sandbox
