#include "cli/testing_fake.hpp"

#include <gmock/gmock.h>

// Lists, of a server that says what a test wrote down.
namespace gantry::cli {
namespace {

using net::http::Exchange;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Lists : public testing::Test {
 protected:
  Result<int> list(std::string_view command, Given given) {
    return remote_.run(command, "ls", {.given = std::move(given)});
  }
  async::task<void> serve(Exchange& exchange) {
    return exchange.respond({200, {{"Content-Type", "application/json"}}}, answer_);
  }

  std::string answer_;
  TestRemote remote_{[this](Exchange& exchange) { return serve(exchange); },
                     Terminal::Kind::screen};
};

TEST_F(Lists, OfAHostThatIsAwayAreNotTakenForEmptyOnes) {
  answer_ = R"({"items":[],"next":null,"stale":true,"as_of":"2026-11-22T20:51:18.417Z"})";
  EXPECT_EQ(value_or_throw(list("volumes", {{"host", {"nas"}}})), 0);
  EXPECT_THAT(remote_.err, HasSubstr("stale: host 'nas' is away or disabled; this was so at "
                                     "2026-11-22T20:51:18.417Z: 'gantry hosts show nas' says "
                                     "which"));
}

TEST_F(Lists, OfAHostThatNobodyHasReachedSaySo) {
  answer_ = R"({"items":[],"next":null,"stale":true,"as_of":null})";
  EXPECT_EQ(value_or_throw(list("networks", {{"host", {"nas"}}})), 0);
  EXPECT_THAT(remote_.err, HasSubstr("host 'nas' is away or disabled; nothing is known of it yet"));
}

TEST_F(Lists, OfAHostThatAnswersSayNothingMore) {
  answer_ = R"({"items":[],"next":null,"stale":false,"as_of":"2026-11-22T20:51:18.417Z"})";
  EXPECT_EQ(value_or_throw(list("images", {{"host", {"nas"}}})), 0);
  EXPECT_THAT(remote_.err, IsEmpty());
}

}  // namespace
}  // namespace gantry::cli
