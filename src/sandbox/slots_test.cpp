#include "sandbox/slots.hpp"

#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

TEST(SlotsTest, AnIdIsGivenOnceUntilItComesBack) {
  Slots slots;
  std::set<int> given;
  for (int i = 0; i < Slots::count; ++i) given.insert(slots.take().value());
  EXPECT_EQ(given.size(), static_cast<std::size_t>(Slots::count));
  EXPECT_EQ(slots.take(), std::nullopt);

  slots.give_back(Slots::first);
  EXPECT_EQ(slots.take(), Slots::first);
}

TEST(SlotsTest, IdsAreUsersThatEveryEngineHas) {
  Slots slots;
  std::set<int> given;
  for (int i = 0; i < Slots::count; ++i) given.insert(slots.take().value());
  EXPECT_EQ(*given.begin(), 40'000);
  EXPECT_LT(*given.rbegin(), 65'000);
}

TEST(SlotsTest, AnIdThatCameBackIsNotTheNextOne) {
  Slots slots;
  auto id = slots.take().value();
  slots.give_back(id);
  EXPECT_NE(slots.take(), id);
}

TEST(SlotsTest, AContainerIsNamedAfterItsId) {
  EXPECT_EQ(Slots::container_name(40'123), "gantry-sandbox-40123");
}

}  // namespace
}  // namespace gantry::sandbox
