#include "cli/find_image.hpp"

#include <gtest/gtest.h>

namespace gantry::cli {
namespace {

std::string found(const std::string& word) {
  auto answer = value_or_throw(
      json::parse(R"({"items":[{"id":"sha256:aa11","tags":["nginx:latest","nginx:1.27"]},)"
                  R"({"id":"sha256:aa22","tags":["registry.example:5000/shop/web:latest"]},)"
                  R"({"id":"sha256:bb33","tags":[]}]})",
                  json::Keys::tolerant));
  auto image = choose_image(answer, word, "web1");
  return image ? image->id + " " + image->name : image.error().code;
}

TEST(FindImage, ATagThatIsLeftOutIsLatest) {
  EXPECT_EQ(found("nginx"), "sha256:aa11 nginx:latest");
  EXPECT_EQ(found("nginx:1.27"), "sha256:aa11 nginx:1.27");
  EXPECT_EQ(found("registry.example:5000/shop/web"),
            "sha256:aa22 registry.example:5000/shop/web:latest");
}

TEST(FindImage, AnIdMayBeShortened) {
  EXPECT_EQ(found("bb"), "sha256:bb33 ");
  EXPECT_EQ(found("sha256:bb33"), "sha256:bb33 ");
  EXPECT_EQ(found("aa"), "ambiguous_image");
}

TEST(FindImage, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(found("redis"), "no_such_image");
  EXPECT_EQ(found("sha256:"), "no_such_image");
  EXPECT_EQ(found(""), "no_such_image");
}

}  // namespace
}  // namespace gantry::cli
