#include "api/semver.hpp"

#include <gtest/gtest.h>

namespace gantry::api::semver {
namespace {

bool in(std::string_view version, std::string_view range) {
  return satisfies(*parse(version), range);
}

TEST(SemverTest, VersionsMayBeShortAndDecorated) {
  EXPECT_EQ(parse("3.11.2"), (Version{3, 11, 2}));
  EXPECT_EQ(parse("v20"), (Version{20, 0, 0}));
  EXPECT_EQ(parse("17.0.10+7"), (Version{17, 0, 10}));
  EXPECT_EQ(parse("1.2.3-rc.1"), (Version{1, 2, 3}));
  EXPECT_EQ(text({3, 11, 0}), "3.11.0");
  for (const auto* bad : {"", "latest", "x", "1.2.3.4", "1..2", "-1", "99999999999"}) {
    EXPECT_FALSE(parse(bad)) << bad;
  }
}

TEST(SemverTest, WildcardsStandForAnyNumber) {
  for (const auto* range : {"*", "", "x", "3", "3.x", "3.11.*", "3.x.x", "=3.11", "v3.11.2"}) {
    EXPECT_TRUE(in("3.11.2", range)) << range;
  }
  for (const auto* range : {"2", "3.1", "3.11.1", "4.x", "3.12"}) {
    EXPECT_FALSE(in("3.11.2", range)) << range;
  }
}

TEST(SemverTest, CaretsKeepTheFirstNumberThatIsNotZero) {
  EXPECT_TRUE(in("1.9.9", "^1.2.3"));
  EXPECT_FALSE(in("1.2.2", "^1.2.3"));
  EXPECT_FALSE(in("2.0.0", "^1.2.3"));
  EXPECT_TRUE(in("0.2.9", "^0.2.3"));
  EXPECT_FALSE(in("0.3.0", "^0.2.3"));
  EXPECT_TRUE(in("0.0.3", "^0.0.3"));
  EXPECT_FALSE(in("0.0.4", "^0.0.3"));
  EXPECT_TRUE(in("0.9.0", "^0.x"));
  EXPECT_FALSE(in("0.1.0", "^0.0"));
  EXPECT_TRUE(in("5.0.0", "^*"));
}

TEST(SemverTest, TildesKeepTheMinorNumber) {
  EXPECT_TRUE(in("1.2.9", "~1.2.3"));
  EXPECT_FALSE(in("1.3.0", "~1.2.3"));
  EXPECT_TRUE(in("1.9.0", "~1"));
  EXPECT_FALSE(in("2.0.0", "~> 1"));
}

TEST(SemverTest, ComparisonsCanBeJoined) {
  EXPECT_TRUE(in("3.11.2", ">=3 <4"));
  EXPECT_TRUE(in("3.11.2", ">= 3.11.2   < 3.11.3"));
  EXPECT_FALSE(in("3.11.2", ">3.11.2"));
  EXPECT_FALSE(in("3.11.2", ">3"));
  EXPECT_FALSE(in("3.11.2", ">3.11"));
  EXPECT_TRUE(in("3.12.0", ">3.11"));
  EXPECT_TRUE(in("3.11.2", "<=3.11"));
  EXPECT_FALSE(in("3.11.2", "<3.11"));
  EXPECT_FALSE(in("3.11.2", "<*"));
}

TEST(SemverTest, HyphensAndAlternativesMakeRanges) {
  EXPECT_TRUE(in("2.9.0", "1.2 - 2"));
  EXPECT_FALSE(in("3.0.0", "1.2 - 2"));
  EXPECT_TRUE(in("3.0.0", "1 || 3"));
  EXPECT_TRUE(in("9.0.0", "1 ||"));
  EXPECT_FALSE(in("2.0.0", "1 || 3"));
}

TEST(SemverTest, WhatIsNoRangeContainsNothing) {
  for (const auto* range : {"latest", "1.2.3.4", ">>1", "1 -", "- 1", ">", "=~1", "3.y"}) {
    EXPECT_FALSE(in("3.11.2", range)) << range;
  }
}

}  // namespace
}  // namespace gantry::api::semver
