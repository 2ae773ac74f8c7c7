#include "api/target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Target parsed(std::string_view text) { return value_or_throw(Target::parse(text)); }

TEST(TargetTest, APathIsDecodedSegmentBySegment) {
  EXPECT_THAT(parsed("/api/v1/me").segments, ElementsAre("api", "v1", "me"));
  EXPECT_THAT(parsed("/a%20b/").segments, ElementsAre("a b", ""));
  EXPECT_EQ(parsed("/").path(), "/");
}

TEST(TargetTest, WhatIsNoPathOfOursIsRefused) {
  for (std::string_view text :
       {"", "*", "http://a/b", "/a%2fb", "/a%00", "/a%zz", "/%ff", "/%0a"}) {
    EXPECT_FALSE(Target::parse(text)) << text;
  }
}

TEST(TargetTest, AQueryIsReadStrictly) {
  auto query = parsed("/?limit=20&cursor=a%2Bb+c").query;
  EXPECT_EQ(query.integer("limit", 1, 200), 20);
  EXPECT_EQ(query.text("cursor"), "a+b c");
  EXPECT_TRUE(query.finish());
}

TEST(TargetTest, AMistakeInAQueryNamesItsParameter) {
  auto unknown = parsed("/?wiat=true").query;
  EXPECT_THAT(unknown.finish().error().message, HasSubstr("'wiat' is unknown"));
  auto twice = parsed("/?wait=true&wait=true").query;
  twice.boolean("wait");
  EXPECT_THAT(twice.finish().error().message, HasSubstr("'wait' comes twice"));
  auto word = parsed("/?wait=1").query;
  word.boolean("wait");
  EXPECT_THAT(word.finish().error().message, HasSubstr("'wait' must be true or false"));
  auto large = parsed("/?limit=201").query;
  large.integer("limit", 1, 200);
  EXPECT_THAT(large.finish().error().message, HasSubstr("'limit' must be"));
}

TEST(TargetTest, AnIdHasNothingThatAPathCouldMean) {
  EXPECT_TRUE(valid_id("01j9z3k8m4c0wq7v5n2x1t6b8a"));
  EXPECT_FALSE(valid_id(""));
  EXPECT_FALSE(valid_id(".."));
  EXPECT_FALSE(valid_id(std::string(65, 'a')));
  EXPECT_TRUE(valid_reference("edge-3.example_a"));
  EXPECT_TRUE(valid_reference("sha256:0123"));
  EXPECT_FALSE(valid_reference(".."));
  EXPECT_FALSE(valid_reference("-oProxyCommand"));
  EXPECT_FALSE(valid_reference("a b"));
  EXPECT_FALSE(valid_reference(std::string(256, 'a')));
}

}  // namespace
}  // namespace gantry::api
