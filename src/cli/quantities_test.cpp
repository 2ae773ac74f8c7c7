#include "cli/quantities.hpp"

#include <gtest/gtest.h>

namespace gantry::cli {
namespace {

TEST(Durations, HaveUnits) {
  EXPECT_EQ(parse_duration("500ms"), 500);
  EXPECT_EQ(parse_duration("5s"), 5000);
  EXPECT_EQ(parse_duration("5"), 5000);
  EXPECT_EQ(parse_duration("1.5m"), 90'000);
  EXPECT_EQ(parse_duration("1h"), 3'600'000);
}

TEST(Durations, ArePositiveNumbersWithAKnownUnit) {
  for (const auto* text : {"", "s", "0", "-1s", "5x", "5 s", "nan", "inf", "1e99h", "0x5"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Sizes, ArePowersOf1024) {
  EXPECT_EQ(parse_size("128m"), 128 << 20);
  EXPECT_EQ(parse_size("64MiB"), 64 << 20);
  EXPECT_EQ(parse_size("0.5g"), 512 << 20);
  EXPECT_EQ(parse_size("1048576"), 1 << 20);
}

TEST(Sizes, SayHowToWriteThem) {
  auto size = parse_size("lots");
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().sentence(),
            "cannot read 'lots' as a size; write it like 512k, 128m or 1g");
}

}  // namespace
}  // namespace gantry::cli
