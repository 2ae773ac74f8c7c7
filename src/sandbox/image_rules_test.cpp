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

/// Whether the engine may be sent for it: `yes`, or the error's code.
std::string fetched(const ImageRules& rules, const std::string& image, Logins used = Logins::none) {
  auto may = rules.check_registry(value_or_throw(engine::ImageReference::parse(image)), used);
  return may ? "yes" : may.error().code;
}
std::string fetched(const std::vector<std::string>& patterns, const std::string& image) {
  return fetched(value_or_throw(ImageRules::parse(patterns)), image);
}

constexpr const char* unknown = "registry_not_allowed";

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

TEST(ImageRulesTest, WithoutRulesOnlyKnownRegistriesAreAsked) {
  ImageRules rules;
  EXPECT_EQ(fetched(rules, "python:3.11"), "yes");
  EXPECT_EQ(fetched(rules, "ghcr.io/team/app"), "yes");
  for (const auto* image : {"evil.example/x", "169.254.169.254:80/x", "localhost/x",
                            "localhost:5000/x", "registry:5000/x", "10.0.0.5/x", "GHCR.io/x"}) {
    EXPECT_EQ(fetched(rules, image), unknown) << image;
  }
}

TEST(ImageRulesTest, ALoginMakesItsRegistryKnown) {
  EXPECT_EQ(fetched(ImageRules{}, "10.0.0.5:5000/x", Logins::stored), "yes");
}

TEST(ImageRulesTest, AListOfRegistriesTakesThePlaceOfTheUsual) {
  ImageRules rules;
  ASSERT_TRUE(rules.set_registries({"localhost:5000"}));
  EXPECT_EQ(fetched(rules, "localhost:5000/x"), "yes");
  EXPECT_EQ(fetched(rules, "localhost:5001/x"), unknown);
  EXPECT_EQ(fetched(rules, "python"), unknown);
  rules.add_registry_of(value_or_throw(engine::ImageReference::parse("python")));
  EXPECT_EQ(fetched(rules, "node:20"), "yes");
  for (const auto* host : {"", "ghcr", "https://ghcr.io", "ghcr.io/team", "a b.c"}) {
    EXPECT_EQ(rules.set_registries({host}).error().code, "invalid_image_rule") << host;
  }
}

TEST(ImageRulesTest, APatternThatNamesARegistryAllowsIt) {
  EXPECT_EQ(fetched({"10.0.0.5:5000/team/*"}, "10.0.0.5:5000/team/app"), "yes");
  EXPECT_EQ(fetched({"10.0.0.5:5000/team/*"}, "10.0.0.6:5000/team/app"), unknown);
}

TEST(ImageRulesTest, AStarForTheRegistryMeansPublicOnes) {
  EXPECT_EQ(fetched({"*"}, "registry.example.com/x"), "yes");
  EXPECT_EQ(fetched({"*/team/*"}, "8.8.8.8:5000/team/x"), "yes");
  EXPECT_EQ(fetched({"*"}, "169.254.169.254:80/x"), unknown);
  EXPECT_EQ(fetched({"localhost*/x", "*"}, "localhost:5000/x"), unknown);
}

TEST(ImageRulesTest, PrivateIsToldByTheName) {
  for (const auto* host :
       {"localhost", "LOCALHOST:5000", "a.localhost", "registry:5000", "metadata.google.internal",
        "nas.local:80", "127.0.0.1", "127.1:80", "10.1.2.3:5000", "192.168.0.1", "172.16.0.1",
        "100.64.0.1", "169.254.169.254", "0.0.0.0", "2852039166:80", "0x7f.1", "0x7f000001"}) {
    EXPECT_TRUE(is_private_registry(host)) << host;
  }
  for (const auto* host : {"ghcr.io", "registry.example.com:5000", "8.8.8.8", "9.9.9.9:443"}) {
    EXPECT_FALSE(is_private_registry(host)) << host;
  }
}

}  // namespace
}  // namespace gantry::sandbox
