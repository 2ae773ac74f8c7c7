#include "main/execution_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::main {
namespace {

Settings given(std::string key, std::string value) { return {{std::move(key), {{value}, "here"}}}; }

TEST(ExecutionOptions, HaveTheirDefaults) {
  auto options = execution_options({}).value();
  EXPECT_EQ(options.user.running_max, executions::Admission::unbounded);
  EXPECT_EQ(options.kept.count_max, 10'000);
  EXPECT_EQ(options.kept.age_max, std::chrono::days{90});
  EXPECT_EQ(options.webhook_reach, net::Reach::public_only);
  EXPECT_TRUE(options.webhook_secret.empty());
}

TEST(ExecutionOptions, AreRead) {
  EXPECT_EQ(execution_options(given("user_executions_max", "2"))->user.running_max, 2U);
  EXPECT_EQ(execution_options(given("user_queue_max", "3"))->user.queued_max, 3U);
  EXPECT_EQ(execution_options(given("pool_max", "0"))->pool.ready_max, 0U);
  EXPECT_EQ(execution_options(given("pool_min", "2"))->pool.ready_min, 2U);
  EXPECT_EQ(execution_options(given("token_executions_max", "4"))->token.running_max, 4U);
  EXPECT_EQ(execution_options(given("token_queue_max", "5"))->token.queued_max, 5U);
  EXPECT_EQ(execution_options(given("keep_count", "6"))->kept.count_max, 6);
  EXPECT_EQ(execution_options(given("keep_bytes", "7"))->kept.bytes_max, Bytes{7});
  EXPECT_EQ(execution_options(given("workspace_bytes", "268435456"))->workspaces.bytes_max,
            Bytes{256U << 20U});
  EXPECT_EQ(execution_options(given("keep_days", "8"))->kept.age_max, std::chrono::days{8});
  EXPECT_EQ(execution_options(given("webhook_private", "yes"))->webhook_reach,
            net::Reach::anything);
  EXPECT_TRUE(execution_options(given("webhook_secret", "s"))->webhook_secret.matches("s"));
}

TEST(ExecutionOptions, ReadWhatProgramsMayNotReach) {
  auto blocked = execution_options(given("outbound_blocked", "203.0.113.0/24")).value();
  EXPECT_THAT(blocked.outbound.blocked, testing::ElementsAre("203.0.113.0/24"));
  EXPECT_THAT(blocked.outbound.dns, testing::ElementsAre("1.1.1.1", "9.9.9.9"));
  auto resolved = execution_options(given("outbound_dns", "8.8.8.8")).value();
  EXPECT_THAT(resolved.outbound.dns, testing::ElementsAre("8.8.8.8"));
  EXPECT_FALSE(execution_options(given("outbound_dns", "10.0.0.1")));
}

TEST(ExecutionOptions, RefuseWorkspacesThatAreTooLargeToTravel) {
  EXPECT_FALSE(execution_options(given("workspace_bytes", "268435457")));
}

TEST(ExecutionOptions, RefuseWhatIsNoNumberOfTheirs) {
  for (const auto& setting : execution_settings) {
    auto options = execution_options(given(std::string{setting.key}, "-1"));
    ASSERT_FALSE(options) << setting.key;
    EXPECT_THAT(options.error().message, testing::HasSubstr("a whole number from "));
  }
}

}  // namespace
}  // namespace gantry::main
