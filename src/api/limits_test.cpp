#include "api/limits.hpp"

#include "api/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using testing::HasSubstr;

/// A server whose operators may run for 20 s at most, and `bob`, who is one.
class TokenLimitsTest : public testing::Test {
 protected:
  static sandbox::ServerBounds bounds() {
    auto limits =
        json::parse(R"({"roles":{"operator":{"wall_time_ms":{"max":20000}}}})", json::Keys::strict);
    constexpr std::array<std::string_view, 3> roles{"viewer", "operator", "admin"};
    return value_or_throw(sandbox::ServerBounds::read(*limits, roles));
  }
  /// What comes of asking for a token of bob's with these members besides.
  TestServer::Response make(const std::string& members, const std::string& role = "operator") {
    auto body =
        fmt::format(R"({{"name":"ci","role":"{}","scopes":["executions","system","access"]{}}})",
                    role, members.empty() ? "" : "," + members);
    return server_.send("POST", "/api/v1/tokens", body, bob_);
  }
  TestServer::Headers token(const std::string& members, const std::string& role = "operator") {
    auto made = make(members, role);
    EXPECT_EQ(made.head.status, 201U) << made.body;
    return TestServer::bearer(object_of(made)["token"].as_string().c_str());
  }
  TestServer::Response submit(const std::string& limits, TestServer::Headers headers) {
    auto body = fmt::format(R"({{"language":"sh","source":"ls","limits":{}}})", limits);
    return server_.send("POST", "/api/v1/executions?wait=true", body, std::move(headers));
  }
  std::string system_limits(TestServer::Headers headers) {
    auto answer = object_of(server_.send("GET", "/api/v1/system", {}, std::move(headers)));
    return json::serialize(answer["limits"].as_object()["wall_time_ms"]);
  }

  TestServer server_{{.bounds = bounds()}};
  access::Identity bobs_ = server_.add_user("bob", access::Role::operator_);
  TestServer::Headers bob_ = TestServer::bearer(server_.add_token(
      bobs_, access::Role::operator_, {"executions", "containers", "system", "access"}));
};

TEST_F(TokenLimitsTest, ATokenHasItsOwnBoundsAndDefaults) {
  auto narrow = token(R"("limits":{"wall_time_ms":{"max":5000,"default":1000}})");
  EXPECT_EQ(system_limits(narrow), R"({"min":1,"max":5000,"default":1000})");
  EXPECT_EQ(system_limits(bob_), R"({"min":1,"max":20000,"default":10000})");
  EXPECT_EQ(submit(R"({"wall_time_ms":5000})", narrow).head.status, 200U);
  auto refused = submit(R"({"wall_time_ms":5001})", narrow);
  EXPECT_EQ(refusal_of(refused), "400 invalid_field");
  EXPECT_THAT(refused.body, HasSubstr("limits.wall_time_ms"));
  EXPECT_THAT(refused.body, HasSubstr("1 and 5000"));
  submit("{}", narrow);
  EXPECT_EQ(server_.sandbox().seen.back().policy.wall_time, Milliseconds{1000});
}

TEST_F(TokenLimitsTest, MoreThanTheRoleIsRefusedWithBothBounds) {
  auto refused = make(R"("limits":{"wall_time_ms":{"max":20001}})");
  EXPECT_EQ(refusal_of(refused), "400 invalid_field");
  EXPECT_THAT(refused.body, HasSubstr("limits.wall_time_ms.max"));
  EXPECT_THAT(refused.body, HasSubstr("1 and 20000"));
  EXPECT_EQ(refusal_of(make(R"("limits":{"network":{"allowed":["full"]}})")), "400 invalid_field");
  EXPECT_EQ(refusal_of(make(R"("limits":{"disk":{"max":1}})")), "400 unknown_field");
  EXPECT_EQ(refusal_of(make(R"("limits":5)")), "400 invalid_field");
  EXPECT_EQ(refusal_of(make(R"("executions_max":0)")), "400 invalid_field");
  EXPECT_EQ(refusal_of(make(R"("queue_max":100001)")), "400 invalid_field");
}

TEST_F(TokenLimitsTest, WhenTheRoleHasLessSoHasTheToken) {
  auto narrow = token(R"("limits":{"wall_time_ms":{"max":300000}})", "viewer");
  ASSERT_EQ(system_limits(narrow), R"({"min":1,"max":300000,"default":10000})");
  auto wide = token(R"("limits":{"wall_time_ms":{"min":15000,"max":18000}})");
  EXPECT_EQ(system_limits(wide), R"({"min":15000,"max":18000,"default":15000})");
}

TEST_F(TokenLimitsTest, TheListTellsThem) {
  token(R"("limits":{"pids":{"max":8}},"executions_max":2)");
  auto listed = server_.send("GET", "/api/v1/tokens", {}, bob_).body;
  EXPECT_THAT(listed,
              HasSubstr(R"("limits":{"pids":{"max":8}},"executions_max":2,"queue_max":null)"));
  EXPECT_THAT(listed, HasSubstr(R"("limits":null,"executions_max":null,"queue_max":null)"));
}

TEST_F(TokenLimitsTest, ATokenWithLimitsMakesNoToken) {
  auto narrow = token(R"("executions_max":1)");
  auto body = R"({"name":"more","role":"viewer","scopes":["system"]})";
  EXPECT_EQ(refusal_of(server_.send("POST", "/api/v1/tokens", body, narrow)), "403 token_limited");
}

TEST_F(TokenLimitsTest, ATokenRunsAndWaitsForNoMoreThanItMay) {
  auto narrow = token(R"("executions_max":1,"queue_max":1)");
  server_.sandbox().hold();
  auto body = R"({"language":"sh","source":"ls"})";
  auto submit = [&](const TestServer::Headers& headers) {
    auto answer = server_.send("POST", "/api/v1/executions", body, headers);
    return answer.head.status == 202 ? "taken" : refusal_of(answer);
  };
  EXPECT_EQ(submit(narrow), "taken");
  EXPECT_EQ(submit(narrow), "taken");
  EXPECT_EQ(submit(narrow), "429 token_queue_full");
  EXPECT_EQ(submit(bob_), "taken");
}

TEST(PoolsApiTest, TellsOfEveryClassWithItsShareOfHits) {
  TestServer server{{.pools = {{.image = "gantry/python:latest",
                                .image_id = "sha256:1",
                                .interpreter = "python",
                                .description = "python, network none",
                                .ready = 2,
                                .wanted = 3,
                                .in_use = 1,
                                .arrivals = 4,
                                .hits = 3,
                                .misses = 1,
                                .memory = Bytes{1024},
                                .last_error = Error{ErrorKind::unavailable, "no_disk", "a\nb", {}}},
                               {.executor = "local", .interpreter = "none"}}}};
  EXPECT_EQ(
      server.ask("GET", "/api/v1/pools").body,
      R"({"items":[{"executor":"docker","image":"gantry/python:latest","image_id":"sha256:1",)"
      R"("interpreter":"python","policy_class":"python, network none","ready":2,"making":0,)"
      R"("target":3,"in_use":1,"arrivals":4,"hits":3,"misses":1,"hit_ratio":0.75,"failures":0,)"
      R"("oldest_ms":0,"memory_bytes":1024,"last_error":{"code":"no_disk","detail":"a\\nb"}},)"
      R"({"executor":"local","image":null,"image_id":null,"interpreter":"none",)"
      R"("policy_class":"","ready":0,"making":0,"target":0,"in_use":0,"arrivals":0,"hits":0,)"
      R"("misses":0,"hit_ratio":null,"failures":0,"oldest_ms":0,"memory_bytes":null,)"
      R"("last_error":null}],"next":null,"memory_bytes":1024,"memory_max_bytes":67108864})");
  EXPECT_EQ(refusal_of(server.ask("GET", "/api/v1/pools?x=1")), "400 invalid_parameter");
}

}  // namespace
}  // namespace gantry::api
