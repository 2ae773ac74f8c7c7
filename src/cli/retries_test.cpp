#include "cli/retries.hpp"

#include <gtest/gtest.h>

namespace gantry::cli {
namespace {

constexpr Milliseconds at_once{0};

TEST(Retries, StreamsThatEndAtOnceAreAskedForEverLessAndThenNoMore) {
  Retries retries;
  auto first = retries.after(at_once);
  ASSERT_TRUE(first);
  auto last = first;
  for (int i = 1; i < Retries::tries_max; ++i) {
    last = retries.after(at_once);
    ASSERT_TRUE(last) << i;
  }
  EXPECT_GT(*last, *first);
  EXPECT_FALSE(retries.after(at_once));
}

TEST(Retries, AConnectionThatLastedBeginsAnew) {
  Retries retries;
  for (int i = 0; i < 5 * Retries::tries_max; ++i) {
    auto wait = retries.after(i % 2 == 0 ? Retries::sound : at_once);
    ASSERT_TRUE(wait) << i;
    EXPECT_LT(*wait, Milliseconds{1'500});
  }
}

}  // namespace
}  // namespace gantry::cli
