#include "api/read.hpp"

#include <gtest/gtest.h>

namespace gantry::api {
namespace {

TEST(ReadTimeTest, TimesAreReadToTheMillisecond) {
  auto time = parse_rfc3339("2026-11-22T00:30:00.125Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(rfc3339(*time), "2026-11-22T00:30:00.125Z");
  EXPECT_EQ(rfc3339(*parse_rfc3339("2026-11-22T00:30:00Z")), "2026-11-22T00:30:00.000Z");
  EXPECT_EQ(rfc3339(*parse_rfc3339("2026-11-22t00:30:00.1259z")), "2026-11-22T00:30:00.125Z");
}

TEST(ReadTimeTest, AnOffsetLeadsToUtc) {
  EXPECT_EQ(rfc3339(*parse_rfc3339("2026-11-22T00:30:00+01:00")), "2026-11-21T23:30:00.000Z");
  EXPECT_EQ(rfc3339(*parse_rfc3339("2026-11-22T00:30:00-00:30")), "2026-11-22T01:00:00.000Z");
}

TEST(ReadTimeTest, AnythingElseIsNoTime) {
  for (std::string_view text :
       {"", "2026", "2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22 00:00:00Z",
        "2026-11-22T00:00:00", "2026-11-22T00:00:00Zx", "2026-11-22T00:00:00.Z",
        "2026-11-22T00:00:00+1:00", "-026-11-22T00:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

}  // namespace
}  // namespace gantry::api
