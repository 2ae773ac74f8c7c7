#include "base/nearest.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace gantry::text {
namespace {

const std::vector<std::string> words{"serve", "exec", "logs", "ps", "start", "stats", "restart"};

std::string meant(std::string_view word) { return std::string{nearest(word, words).value_or("")}; }

TEST(Nearest, FindsAWordWithALetterMoreLessOrAnotherOne) {
  EXPECT_EQ(meant("servee"), "serve");
  EXPECT_EQ(meant("srve"), "serve");
  EXPECT_EQ(meant("sezve"), "serve");
}

TEST(Nearest, CountsTwoLettersThatChangedPlacesAsOneSlip) {
  EXPECT_EQ(meant("lgos"), "logs");
  EXPECT_EQ(meant("sp"), "ps");
}

TEST(Nearest, AllowsTwoSlipsInALongWordOnly) {
  EXPECT_EQ(meant("rsetrat"), "restart");
  EXPECT_EQ(meant("lxxs"), "");
}

TEST(Nearest, TakesTheFirstOfThoseThatAreAsNear) { EXPECT_EQ(meant("statt"), "start"); }

TEST(Nearest, GuessesNothingThatIsFarAway) {
  EXPECT_EQ(meant("compose"), "");
  EXPECT_EQ(meant(""), "");
  EXPECT_EQ(meant(std::string(10'000, 's')), "");
}

}  // namespace
}  // namespace gantry::text
