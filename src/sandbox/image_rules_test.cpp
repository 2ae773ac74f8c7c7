#include "sandbox/image_rules.hpp"

#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

const std::string digest = "sha256:" + std::string(64, 'a');
const std::string other = "sha256:" + std::string(64, 'b');

/// What `image` becomes under the rules: the reference to use, or the error's code.
std::string checked(const std::vector<std::string>& patterns, const std::string& image) {
  auto rules = value_or_throw(ImageRules::parse(patterns));
  auto reference = rules.check(value_or_throw(engine::ImageReference::parse(image)));
  return reference ? reference->familiar() : reference.error().code;
}

constexpr const char* refused = "image_not_allowed";

TEST(ImageRulesTest, WithoutRulesEverythingIsAllowed) {
  EXPECT_EQ(checked({}, "ghcr.io/team/app:1"), "ghcr.io/team/app:1");
}

TEST(ImageRulesTest, ANameAllowsEveryTagOfIt) {
  EXPECT_EQ(checked({"python"}, "python:3.11"), "python:3.11");
  EXPECT_EQ(checked({"python"}, "docker.io/library/python"), "python:latest");
  EXPECT_EQ(checked({"python"}, "pythons:3.11"), refused);
  EXPECT_EQ(checked({"python"}, "evil/python:3.11"), refused);
  EXPECT_EQ(checked({"python"}, "ghcr.io/library/python:3.11"), refused);
}

TEST(ImageRulesTest, AStarStandsForAnything) {
  EXPECT_EQ(checked({"python:3.*"}, "python:3.11-alpine"), "python:3.11-alpine");
  EXPECT_EQ(checked({"python:3.*"}, "python:2.7"), refused);
  EXPECT_EQ(checked({"ghcr.io/team/*"}, "ghcr.io/team/sub/app:1"), "ghcr.io/team/sub/app:1");
  EXPECT_EQ(checked({"ghcr.io/team/*"}, "ghcr.io/teams/app:1"), refused);
  EXPECT_EQ(checked({"localhost:5000/*:v*-x"}, "localhost:5000/a:v1-x"), "localhost:5000/a:v1-x");
  EXPECT_EQ(checked({"localhost:5000/*:v*-x"}, "localhost:5000/a:v1-y"), refused);
  EXPECT_EQ(checked({"*"}, "ghcr.io/team/app:1"), "ghcr.io/team/app:1");
}

TEST(ImageRulesTest, ADigestPinsWhatTheTagMeans) {
  EXPECT_EQ(checked({"python:3.11@" + digest}, "python:3.11"), "python@" + digest);
  EXPECT_EQ(checked({"python:3.11@" + digest}, "python:3.12"), refused);
  EXPECT_EQ(checked({"python:3.11@" + digest}, "python@" + digest), "python@" + digest);
  EXPECT_EQ(checked({"python:3.11@" + digest}, "python@" + other), refused);
}

TEST(ImageRulesTest, RulesAboutTagsSayNothingOfADigest) {
  EXPECT_EQ(checked({"python:3.*"}, "python@" + digest), refused);
  EXPECT_EQ(checked({"python"}, "python@" + digest), "python@" + digest);
}

TEST(ImageRulesTest, TheFirstRuleThatMatchesHolds) {
  EXPECT_EQ(checked({"python:3.11@" + digest, "python:*"}, "python:3.11"), "python@" + digest);
  EXPECT_EQ(checked({"python:3.11@" + digest, "python:*"}, "python:3.12"), "python:3.12");
}

TEST(ImageRulesTest, APatternThatIsNoImageIsRefused) {
  for (const auto* pattern : {"", "Python", "a b", "python:", "python@sha256:12", "/x"}) {
    EXPECT_EQ(ImageRules::parse({pattern}).error().code, "invalid_image_rule") << pattern;
  }
}

}  // namespace
}  // namespace gantry::sandbox
