#include "access/totp.hpp"

#include <gtest/gtest.h>

namespace gantry::access::totp {
namespace {

const Secret secret{"12345678901234567890"};

WallTime at(std::int64_t seconds) { return WallTime{Seconds{seconds}}; }

// RFC 6238 appendix B has eight digits; the last six are ours.
TEST(TotpTest, CodesAreThoseOfTheStandard) {
  struct Vector {
    std::int64_t seconds;
    std::string_view code;
  };
  for (const auto& vector : {Vector{59, "287082"}, Vector{1'111'111'109, "081804"},
                             Vector{1'111'111'111, "050471"}, Vector{1'234'567'890, "005924"},
                             Vector{2'000'000'000, "279037"}, Vector{20'000'000'000, "353130"}}) {
    EXPECT_EQ(code(secret, step_at(at(vector.seconds))), vector.code) << vector.seconds;
  }
}

TEST(TotpTest, TheStepsBesideThePresentOneCountAndNoOther) {
  auto now = at(1'234'567'890);
  auto present = step_at(now);
  for (auto step = present - 3; step <= present + 3; ++step) {
    auto matched = match(secret, code(secret, step), now, 0);
    bool near = step >= present - 1 && step <= present + 1;
    EXPECT_EQ(matched, near ? std::optional{step} : std::nullopt) << step - present;
  }
}

TEST(TotpTest, ACodeCountsOnce) {
  auto now = at(1'234'567'890);
  auto present = step_at(now);
  EXPECT_FALSE(match(secret, code(secret, present), now, present));
  EXPECT_FALSE(match(secret, code(secret, present - 1), now, present));
  EXPECT_TRUE(match(secret, code(secret, present + 1), now, present));
}

TEST(TotpTest, WhatIsNoCodeDoesNotMatch) {
  auto now = at(59);
  for (auto text : {"", "28708", "2870820", "287 082", "28708a", "-87082"}) {
    EXPECT_FALSE(match(secret, text, now, 0)) << text;
  }
}

TEST(TotpTest, SecretsAreToldInBase32) {
  EXPECT_EQ(text(secret), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
  EXPECT_EQ(text(Secret{"f"}), "MY");
  EXPECT_EQ(text(Secret{"foob"}), "MZXW6YQ");
  EXPECT_EQ(uri("ada@home", Secret{"foob"}),
            "otpauth://totp/Gantry:ada%40home?secret=MZXW6YQ&issuer=Gantry");
  EXPECT_EQ(make_secret().reveal().size(), 20U);
}

}  // namespace
}  // namespace gantry::access::totp
