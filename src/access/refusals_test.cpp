#include "access/refusals.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace gantry::access {
namespace {

class RefusalsTest : public testing::Test {
 protected:
  /// How many rows so many refusals make, each of another name where there is none.
  int rows(int refusals, const std::string& name = {}) {
    int told = 0;
    for (int i = 0; i < refusals; ++i) {
      auto whose = name.empty() ? fmt::format("name{}", ++names_) : name;
      if (refusals_.note(whose, "192.0.2.1", "bad_credentials", now_)) ++told;
    }
    return told;
  }
  WallTime now_{Milliseconds{1'000'000'000}};
  Refusals refusals_;
  int names_ = 0;
};

TEST_F(RefusalsTest, TheSameIsToldLessAndLessOften) {
  EXPECT_EQ(rows(1, "ada"), 1);
  EXPECT_EQ(rows(8, "Ada"), 0);
  EXPECT_EQ(refusals_.note("ada", "192.0.2.1", "bad_credentials", now_)->count, 10U);
  EXPECT_EQ(rows(99'990, "ada"), 4);
  EXPECT_EQ(rows(1, "bob"), 1);
}

TEST_F(RefusalsTest, ManyNamesAreToldTogether) {
  EXPECT_EQ(rows(200), 200);
  EXPECT_EQ(rows(100'000), 6);
  auto told = refusals_.note("name1", "192.0.2.1", "user_disabled", now_);
  EXPECT_FALSE(told);
}

TEST_F(RefusalsTest, AfterTenMinutesEverythingIsToldAnew) {
  EXPECT_EQ(rows(5, "ada"), 1);
  now_ += std::chrono::minutes{10};
  EXPECT_EQ(rows(5, "ada"), 1);
  now_ -= std::chrono::minutes{60};
  EXPECT_EQ(rows(5, "ada"), 1);
}

}  // namespace
}  // namespace gantry::access
