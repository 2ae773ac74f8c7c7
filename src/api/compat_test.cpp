#include "api/compat.hpp"

#include "api/leaving_fake.hpp"
#include "api/metrics.hpp"
#include "api/testing_fake.hpp"
#include "async/deadline.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using sandbox::Verdict;
using testing::HasSubstr;
using testing::StartsWith;

const TestServer::Options anonymous{.anonymous_execute = AnonymousExecute::on_loopback};

class CompatTest : public testing::Test {
 protected:
  net::http::Response execute(std::string body, std::string type = "application/json") {
    return server_.send("POST", "/execute", std::move(body), {{"Content-Type", type}});
  }
  void outcome(Verdict verdict, std::optional<int> exit_code, std::optional<int> signal = {},
               std::string message = {}) {
    server_.sandbox().outcome = {{.verdict = verdict,
                                  .exit_code = exit_code,
                                  .signal = signal,
                                  .message = std::move(message),
                                  .wall_time = Microseconds{250'000}}};
  }
  std::string ended() { return execute(R"({"script":"x"})").body; }

  TestServer server_{anonymous};
};

TEST_F(CompatTest, AScriptsAnswerHasTheSixFields) {
  auto answer = execute(R"({"script":"echo hello"})");
  EXPECT_EQ(answer.head.status, 200U);
  EXPECT_EQ(answer.body, R"({"success":true,"stdout":"hello\n","stderr":"","exit_code":0,)"
                         R"("execution_time":0.0125,"error":null})");
}

TEST_F(CompatTest, TheScriptRunsInOneShellOfTheImage) {
  execute(R"({"script":"cd /tmp\npwd","stdin":"in","image":"python:3.11-alpine","x":1})");
  execute(R"({"script":"ls"})");
  const auto& seen = server_.sandbox().seen;
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_THAT(seen[0].program.command, testing::ElementsAre("/bin/sh", "-c", "cd /tmp\npwd"));
  EXPECT_EQ(seen[0].program.input, "in");
  EXPECT_EQ(seen[0].program.image, "python:3.11-alpine");
  EXPECT_EQ(seen[1].program.image, "alpine:latest");
  EXPECT_EQ(seen[1].policy.wall_time, Milliseconds{30'000});
}

TEST_F(CompatTest, AScriptTooLongForAnArgumentBecomesAFile) {
  execute(fmt::format(R"({{"script":"{}"}})", std::string(40'000, '#')));
  const auto& program = server_.sandbox().seen.front().program;
  EXPECT_THAT(program.command, testing::ElementsAre("/bin/sh", "/box/script.sh"));
  EXPECT_EQ(program.files.front().path, "script.sh");
}

TEST_F(CompatTest, AFailureIsA200Too) {
  outcome(Verdict::failed, 3);
  EXPECT_THAT(ended(), HasSubstr(R"("success":false)"));
  EXPECT_THAT(ended(), HasSubstr(R"("exit_code":3,"execution_time":0.25,"error":null)"));
}

TEST(CompatBoundsTest, AScriptStaysWithinTheBoundsOfWhoAsks) {
  auto limits = json::parse(R"({"wall_time_ms":{"max":5000},"memory_bytes":{"max":67108864}})",
                            json::Keys::strict);
  TestServer server{{.bounds = value_or_throw(sandbox::ServerBounds::read(*limits, {}))}};
  EXPECT_EQ(server.ask("POST", "/execute", R"({"script":"x"})").head.status, 200U);
  const auto& policy = server.sandbox().seen.at(0).policy;
  EXPECT_EQ(policy.wall_time, Milliseconds{5'000});
  EXPECT_EQ(policy.memory.count, 64U << 20U);
}

TEST_F(CompatTest, LimitsLookLikeAShellWouldTellThem) {
  outcome(Verdict::timed_out, {}, 9);
  server_.sandbox().outcome.wall_time = Microseconds{30'001'000};
  EXPECT_THAT(ended(), HasSubstr(R"("exit_code":124)"));
  EXPECT_THAT(ended(), HasSubstr(R"("error":"Execution timed out after 30 seconds")"));
  outcome(Verdict::memory_exceeded, {}, 9, "over 256 MiB");
  EXPECT_THAT(ended(),
              HasSubstr(R"("exit_code":137,"execution_time":0.25,"error":"over 256 MiB")"));
  outcome(Verdict::signalled, {}, 11);
  EXPECT_THAT(ended(), HasSubstr(R"("exit_code":139)"));
}

TEST_F(CompatTest, WhatCouldNotRunSaysWhyTwice) {
  outcome(Verdict::infrastructure_error, {}, {}, "no engine");
  EXPECT_THAT(ended(), HasSubstr(R"("success":false,"stdout":"","stderr":"no engine",)"
                                 R"("exit_code":-1)"));
  EXPECT_THAT(ended(), HasSubstr(R"("error":"no engine")"));
  outcome(Verdict::infrastructure_error, {}, {}, "cannot pull image 'no:pe': not found");
  EXPECT_THAT(execute(R"({"script":"x","image":"no:pe"})").body,
              HasSubstr(R"("error":"Failed to pull image: no:pe (cannot pull image 'no:pe')"));
  auto image = execute(R"({"script":"x","image":"Not An Image"})");
  EXPECT_EQ(image.head.status, 200U);
  EXPECT_THAT(image.body, HasSubstr(R"("error":"Invalid image name: Not An Image")"));
}

TEST_F(CompatTest, BytesThatAreNoTextAreReplaced) {
  server_.sandbox().out = "a\xff";
  EXPECT_THAT(ended(), HasSubstr(R"("stdout":"a\ufffd")"));
}

TEST_F(CompatTest, MistakesKeepTheOriginsShape) {
  auto none = execute("{}");
  EXPECT_EQ(none.head.status, 400U);
  EXPECT_EQ(none.body, R"({"success":false,"error":"No script provided"})");
  for (auto body : {"", "null", R"({"image":"x"})", R"({"script":null})"}) {
    EXPECT_EQ(execute(body).body, none.body) << body;
  }
  auto type = execute("a=1", "application/x-www-form-urlencoded");
  EXPECT_EQ(type.head.status, 400U);
  EXPECT_EQ(type.body, R"({"success":false,"error":"Unsupported content type: )"
                       R"(application/x-www-form-urlencoded"})");
  auto zipped = server_.send("POST", "/execute", R"({"script":"x"})",
                             {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}});
  EXPECT_EQ(zipped.head.status, 400U);
  EXPECT_EQ(zipped.body, R"({"success":false,"error":"Unsupported content encoding: gzip"})");
  for (auto body : {"{", "[1]", R"({"script":1})", R"({"script":"a","script":"b"})"}) {
    auto answer = execute(body);
    EXPECT_EQ(answer.head.status, 400U) << body;
    EXPECT_THAT(answer.body, StartsWith(R"({"success":false,"error":")")) << body;
  }
  EXPECT_EQ(execute(std::string((16U << 20U) + 1, ' ')).head.status, 413U);
}

TEST_F(CompatTest, AClientThatGoesAwayTakesItsScriptWithIt) {
  server_.sandbox().hold();
  auto gone = server_.send_beside("POST", "/execute", R"({"script":"sleep 20"})", {});
  server_.loop().run(leaves_once_begun(server_, std::move(gone)));
  ASSERT_EQ(server_.sandbox().seen.size(), 1U);
  auto& executions = server_.executions();
  server_.loop().run(
      async::until([&] { return executions.unfinished(executions::Reach::everybodys()).empty(); }));
  EXPECT_EQ(executions.counters().ended.at(Verdict::cancelled), 1U);
}

TEST_F(CompatTest, AFullQueueKeepsItToo) {
  server_.sandbox().hold();
  auto body = R"({"language":"sh","source":""})";
  for (int i = 0; i < 18; ++i) server_.ask("POST", "/api/v1/executions", body);
  auto refused = execute(R"({"script":"x"})");
  EXPECT_EQ(refused.head.status, 429U);
  EXPECT_THAT(refused.body, StartsWith(R"({"success":false,"error":")"));
}

TEST_F(CompatTest, HealthIsOpenAndHasItsThreeFields) {
  auto health = object_of(server_.send("GET", "/health"));
  EXPECT_EQ(health["status"], "healthy");
  EXPECT_TRUE(health["timestamp"].is_double());
  EXPECT_EQ(health["pool_active"], false);
  EXPECT_EQ(health.size(), 3U);
}

TEST_F(CompatTest, MetricsCountAsTheOriginDid) {
  execute(R"({"script":"x"})");
  outcome(Verdict::failed, 1);
  execute(R"({"script":"x"})");
  EXPECT_EQ(server_.send("GET", "/metrics").body,
            R"({"total_executions":2,"successful_executions":1,"failed_executions":1,)"
            R"("average_execution_time":0.13125,"containers_created":0,"containers_destroyed":0,)"
            R"("pools_active":0,"total_available_containers":0,"pool_metrics":{"alpine:latest":{)"
            R"("total_executions":2,"successful_executions":1,"failed_executions":1,)"
            R"("average_execution_time":0.13125,"containers_created":0,"containers_destroyed":0,)"
            R"("pool_size":0,"available_containers":0}}})");
}

TEST(PoolMetricsTest, ImagesAreToldWithWhatWaits) {
  std::vector<sandbox::PoolView> views(3);
  views[0] = {.image = "gantry/sh:latest", .ready = 2, .wanted = 3, .hits = 5, .misses = 1};
  views[1] = {.image = "python:3.11-alpine", .ready = 1, .wanted = 1, .hits = 4, .misses = 2};
  views[2] = {.image = "python:3.11-alpine", .ready = 1, .wanted = 2, .hits = 1};
  auto pools = pools_by_image(views, {{"alpine:latest", "gantry/sh:latest"}});
  auto json = metrics_json({}, pools);
  EXPECT_THAT(json, HasSubstr(R"("pools_active":2,"total_available_containers":4)"));
  EXPECT_THAT(json, HasSubstr(R"("containers_destroyed":0,"pool_size":3,)"
                              R"("available_containers":2},"python:3.11-alpine":)"
                              R"({"total_executions":7,"pool_size":3,"available_containers":2})"));
  auto text = metrics_text({.counters = {}, .pools = pools, .version = "1", .started_at = {}});
  EXPECT_THAT(text, HasSubstr("gantry_pool_hits_total{image=\"python:3.11-alpine\"} 5\n"));
}

TEST_F(CompatTest, PrometheusGetsItsText) {
  execute(R"({"script":"x"})");
  auto answer = server_.send("GET", "/metrics", {}, {{"Accept", "text/plain;version=0.0.4"}});
  EXPECT_THAT(std::string{answer.head.headers.get("Content-Type")}, StartsWith("text/plain"));
  EXPECT_THAT(answer.body, HasSubstr("gantry_executions_total{verdict=\"ok\"} 1\n"));
  EXPECT_THAT(answer.body, HasSubstr("# TYPE gantry_executions_running gauge\n"));
  EXPECT_THAT(answer.body, HasSubstr("gantry_build_info{version=\"0.1.0\"} 1\n"));
}

TEST(AnonymousTest, WithoutTheOptionBothFrontsAskWhoIsThere) {
  TestServer server;
  auto refused = server.send("POST", "/execute", R"({"script":"x"})");
  EXPECT_EQ(refused.head.status, 401U);
  EXPECT_THAT(refused.body, StartsWith(R"({"success":false,"error":")"));
  EXPECT_EQ(server.send("GET", "/metrics").head.status, 401U);
  EXPECT_EQ(server.ask("GET", "/metrics").head.status, 200U);
  EXPECT_EQ(server.ask("POST", "/execute", R"({"script":"x"})").head.status, 200U);
}

TEST(AnonymousTest, TheOptionOpensNothingOnListenersThatAreNotLoopback) {
  TestServer server{{.anonymous_execute = AnonymousExecute::on_loopback, .listen = "0.0.0.0:0"}};
  EXPECT_EQ(server.send("POST", "/execute", R"({"script":"x"})").head.status, 401U);
  EXPECT_EQ(server.send("GET", "/metrics").head.status, 401U);
  EXPECT_EQ(server.send("GET", "/health").head.status, 200U);
}

TEST(AnonymousTest, ABadTokenIsAMistakeEvenWhereNoneIsNeeded) {
  TestServer server{anonymous};
  EXPECT_EQ(server.send("GET", "/metrics", {}, TestServer::bearer("x")).head.status, 401U);
}

TEST(AnonymousTest, APageOfAnotherSiteReachesNeither) {
  TestServer server{anonymous};
  auto post =
      server.send("POST", "/execute", R"({"script":"x"})", {{"Origin", "http://evil.example"}});
  EXPECT_EQ(post.head.status, 403U);
  EXPECT_EQ(server.send("GET", "/metrics", {}, {{"Host", "evil.example"}}).head.status, 403U);
  EXPECT_TRUE(server.sandbox().seen.empty());
}

}  // namespace
}  // namespace gantry::api
