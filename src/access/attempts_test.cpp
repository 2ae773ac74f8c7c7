#include "access/attempts.hpp"

#include "access/identity.hpp"

#include <gtest/gtest.h>

namespace gantry::access {
namespace {

class AttemptsTest : public testing::Test {
 protected:
  void fail_times(int times) {
    for (int i = 0; i < times; ++i) attempts_.begin("ada", now_);
  }
  WallTime now_{Milliseconds{1'000'000'000}};
  Attempts attempts_;
};

TEST_F(AttemptsTest, NineFailuresAreFreeTheTenthIsTheLast) {
  fail_times(9);
  EXPECT_EQ(attempts_.wait("ada", now_), Seconds{0});
  fail_times(1);
  EXPECT_EQ(attempts_.wait("ada", now_), Seconds{600});
  EXPECT_EQ(attempts_.wait("bob", now_), Seconds{0});
}

TEST_F(AttemptsTest, TheWindowSlides) {
  fail_times(5);
  now_ += std::chrono::minutes{6};
  fail_times(5);
  EXPECT_EQ(attempts_.wait("ada", now_), Seconds{240});
  EXPECT_EQ(attempts_.wait("ada", now_ + std::chrono::minutes{4}), Seconds{0});
}

TEST_F(AttemptsTest, AClockSetBackDoesNotLockOutLonger) {
  fail_times(10);
  EXPECT_EQ(attempts_.wait("ada", now_ - std::chrono::years{10}), Seconds{600});
}

TEST_F(AttemptsTest, ForgivingAndWithdrawingCountDown) {
  fail_times(10);
  attempts_.withdraw("ada");
  EXPECT_EQ(attempts_.wait("ada", now_), Seconds{0});
  fail_times(1);
  attempts_.forgive("ada");
  EXPECT_EQ(attempts_.wait("ada", now_), Seconds{0});
}

TEST_F(AttemptsTest, AFloodOfKeysIsBounded) {
  for (int i = 0; i < 30'000; ++i) attempts_.begin(std::to_string(i), now_ + Milliseconds{i});
  EXPECT_LE(attempts_.size(), 10'000U);
}

TEST(RoleTest, WordsAndRolesAreOneAnother) {
  for (auto role : {Role::viewer, Role::operator_, Role::admin}) {
    EXPECT_EQ(parse_role(word(role)), role);
  }
  EXPECT_EQ(parse_role("Admin"), std::nullopt);
  EXPECT_EQ(word(Role::operator_), "operator");
}

TEST(ScopesTest, ASetKnowsWhatItCovers) {
  auto some = *Scopes::parse({"system", "executions", "system"});
  EXPECT_TRUE(Scopes::all().covers(some));
  EXPECT_FALSE(some.covers(Scopes::all()));
  EXPECT_TRUE(some.covers(Scopes{}));
  EXPECT_EQ(some.words(), (std::vector<std::string>{"executions", "system"}));
  EXPECT_EQ(Scopes::parse({"everything"}), std::nullopt);
}

}  // namespace
}  // namespace gantry::access
