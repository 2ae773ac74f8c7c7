#include "api/limits.hpp"

#include "api/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using testing::HasSubstr;
using testing::Not;

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

TEST_F(TokenLimitsTest, ARepeatedBatchTellsWhatBecameOfEachWhateverMayBeAskedForNow) {
  auto narrow = token(R"("limits":{"wall_time_ms":{"max":5000}})");
  auto narrower = token(R"("limits":{"wall_time_ms":{"max":500}})");
  auto batch = [](int first, int second, int third) {
    constexpr std::string_view one =
        R"({{"language":"sh","source":"ls","limits":{{"wall_time_ms":{}}}}})";
    return fmt::format(R"({{"executions":[{},{},{}]}})", fmt::format(one, first),
                       fmt::format(one, second), fmt::format(one, third));
  };
  auto post = [&](TestServer::Headers headers, const std::string& body) {
    headers.set("Idempotency-Key", "k");
    auto answer = server_.send("POST", "/api/v1/executions/batch", body, std::move(headers));
    EXPECT_EQ(answer.head.status, 202U) << answer.body;
    return object_of(answer)["items"].as_array();
  };
  auto body = batch(1'000, 6'000, 2'000);
  auto first = post(narrow, body);
  auto wider = post(bob_, body);
  auto less = post(narrower, body);
  auto id_in = [](const json::Value& item) { return item.at("execution").at("id").as_string(); };
  for (auto i : {0U, 2U}) {
    EXPECT_EQ(id_in(wider[i]), id_in(first[i])) << i;
    EXPECT_EQ(id_in(less[i]), id_in(first[i])) << i;
  }
  EXPECT_EQ(first[1].at("error").at("code"), "invalid_field");
  EXPECT_EQ(wider[1].at("error").at("code"), "refused_before");
  EXPECT_EQ(less[1].at("error").at("code"), "invalid_field");
  EXPECT_EQ(server_.sandbox().seen.size(), 2U);
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

TEST(PoolsApiTest, OnlyAdminsSeeImagesOfOthers) {
  TestServer server{{.pools = {{.image = "registry.example/payroll:3",
                                .image_id = "sha256:2",
                                .description = "any program",
                                .last_error = Error{ErrorKind::unavailable, "gone", "payroll", {}}},
                               {.image = "gantry/python:latest", .image_id = "sha256:1"}}}};
  auto viewer = server.add_user("eve", access::Role::viewer);
  auto token = server.add_token(viewer, access::Role::viewer, {"system"});
  auto body = server.send("GET", "/api/v1/pools", {}, TestServer::bearer(token)).body;
  EXPECT_THAT(body, Not(HasSubstr("payroll")));
  EXPECT_THAT(body, Not(HasSubstr("sha256:2")));
  EXPECT_THAT(body, HasSubstr("any program"));
  EXPECT_THAT(body, HasSubstr("gantry/python:latest"));
  EXPECT_THAT(server.ask("GET", "/api/v1/pools").body, HasSubstr("payroll:3"));
}

}  // namespace
}  // namespace gantry::api
