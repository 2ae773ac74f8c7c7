#include "engine/image_reference.hpp"

#include <gtest/gtest.h>

namespace gantry::engine {
namespace {

const std::string digest = "sha256:" + std::string(64, 'a');

std::string canonical(std::string_view text) {
  auto reference = ImageReference::parse(text);
  return reference ? reference->canonical() : reference.error().code;
}

std::string familiar(std::string_view text) {
  auto reference = ImageReference::parse(text);
  return reference ? reference->familiar() : reference.error().code;
}

TEST(ImageReference, GetsDockersDefaults) {
  EXPECT_EQ(canonical("python"), "docker.io/library/python:latest");
  EXPECT_EQ(canonical("python:3.11-alpine"), "docker.io/library/python:3.11-alpine");
  EXPECT_EQ(canonical("gantry/sh"), "docker.io/gantry/sh:latest");
  EXPECT_EQ(canonical("index.docker.io/library/x:1"), "docker.io/library/x:1");
}

TEST(ImageReference, TellsARegistryFromAFolder) {
  EXPECT_EQ(canonical("localhost/app"), "localhost/app:latest");
  EXPECT_EQ(canonical("localhost:5000/team/app:v1"), "localhost:5000/team/app:v1");
  EXPECT_EQ(canonical("ghcr.io/a/b/c"), "ghcr.io/a/b/c:latest");
  EXPECT_EQ(canonical("team/app"), "docker.io/team/app:latest");
}

TEST(ImageReference, KeepsADigest) {
  EXPECT_EQ(canonical("python@" + digest), "docker.io/library/python@" + digest);
  EXPECT_EQ(canonical("python:3@" + digest), "docker.io/library/python:3@" + digest);
}

TEST(ImageReference, IsShownAsPeopleWriteIt) {
  EXPECT_EQ(familiar("docker.io/library/python:3"), "python:3");
  EXPECT_EQ(familiar("docker.io/gantry/sh"), "gantry/sh:latest");
  EXPECT_EQ(familiar("ghcr.io/library/python"), "ghcr.io/library/python:latest");
}

TEST(ImageReference, SeparatorsStandAloneBetweenLettersAndDigits) {
  EXPECT_EQ(familiar("a.b_c__d-e--f"), "a.b_c__d-e--f:latest");
  for (auto* bad : {"a..b", "a___b", "a._b", "_a", "a_", ".a", "a.", "-a", "a-"}) {
    EXPECT_EQ(familiar(bad), "invalid_image") << bad;
  }
}

TEST(ImageReference, RefusesWhatTheGrammarDoesNotAllow) {
  for (auto* bad : {"",
                    "Python",
                    "a/B",
                    "python:",
                    "python:-x",
                    "python: 3",
                    "a b",
                    "a//b",
                    "/a",
                    "a/",
                    "a:b:c",
                    "http://a/b",
                    "a@sha256:12",
                    "a@md5:"
                    "aa",
                    "--privileged",
                    "../../etc",
                    "a\nb",
                    "ä",
                    "host:port/a",
                    "a.b:123456/c",
                    "-x.y/a",
                    "a?fromImage=b",
                    "sha256:"}) {
    EXPECT_EQ(familiar(bad), "invalid_image") << bad;
  }
  EXPECT_EQ(familiar("python:" + std::string(129, 'a')), "invalid_image");
  EXPECT_EQ(familiar(std::string(256, 'a')), "invalid_image");
}

TEST(ImageReference, AFolderThatLooksLikeARegistryKeepsItsDomain) {
  EXPECT_EQ(familiar("docker.io/evil.io/app"), "docker.io/evil.io/app:latest");
  EXPECT_EQ(familiar("docker.io/localhost/app"), "docker.io/localhost/app:latest");
  EXPECT_EQ(familiar("docker.io/library/localhost"), "localhost:latest");
}

TEST(ImageReference, AnIdIsNotAReference) {
  EXPECT_TRUE(valid_image_id(digest));
  EXPECT_FALSE(valid_image_id("sha256:" + std::string(64, 'A')));
  EXPECT_FALSE(valid_image_id(std::string(64, 'a')));
}

}  // namespace
}  // namespace gantry::engine
