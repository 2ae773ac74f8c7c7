#include "api/piston.hpp"

#include "api/leaving_fake.hpp"
#include "api/testing_fake.hpp"
#include "async/deadline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using sandbox::Verdict;
using testing::HasSubstr;
using testing::StartsWith;

constexpr auto python = R"({"language":"py","version":"3.x","files":[{"content":"print 1"
}],"stdin":"2"
})";
constexpr auto c = R"({"language":"c","version":"*","files":[{"content":"int main(){}"}]})";

class PistonTest : public testing::Test {
 protected:
  net::http::Response execute(std::string body, std::string type = "application/json") {
    return server_.send("POST", "/api/v2/execute", std::move(body), {{"Content-Type", type}});
  }
  sandbox::StageOutcome ended(Verdict verdict, std::optional<int> code = {},
                              std::optional<int> signal = {}) {
    return {.verdict = verdict,
            .exit_code = code,
            .signal = signal,
            .wall_time = Microseconds{79'900},
            .cpu_time = Microseconds{25'100},
            .memory_peak_bytes = 4'028'000};
  }
  void outcome(sandbox::StageOutcome outcome) { server_.sandbox().outcome = std::move(outcome); }
  std::string run_of(Verdict verdict, std::optional<int> code = {},
                     std::optional<int> signal = {}) {
    outcome(ended(verdict, code, signal));
    return execute(python).body;
  }

  TestServer server_{{.anonymous_execute = AnonymousExecute::on_loopback,
                      .allowed_origins = {"https://editor.example"}}};
};

TEST_F(PistonTest, AResultHasPistonsMembersInPistonsOrder) {
  server_.sandbox().err = "warning\n";
  outcome(ended(Verdict::ok, 0));
  auto answer = execute(python);
  EXPECT_EQ(answer.head.status, 200U);
  EXPECT_EQ(answer.head.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(answer.body,
            R"({"run":{"signal":null,"stdout":"hello\n","stderr":"warning\n","code":0,)"
            R"("output":"hello\nwarning\n","memory":4028000,"message":null,"status":null,)"
            R"("cpu_time":25,"wall_time":79},"language":"python","version":"3.11.0"})");
  EXPECT_EQ(server_.sandbox().seen.at(0).program.input, "2\n");
}

TEST_F(PistonTest, EveryVerdictHasItsStatus) {
  EXPECT_THAT(run_of(Verdict::failed, 3),
              HasSubstr(R"("message":"Exited with error status 3","status":"RE")"));
  EXPECT_THAT(run_of(Verdict::failed, 3), HasSubstr(R"("signal":null)"));
  auto crashed = run_of(Verdict::signalled, {}, 11);
  EXPECT_THAT(crashed, StartsWith(R"({"run":{"signal":"SIGSEGV")"));
  EXPECT_THAT(crashed, HasSubstr(R"("code":null)"));
  EXPECT_THAT(crashed, HasSubstr(R"("message":"Caught fatal signal 11","status":"SG")"));
  auto late = run_of(Verdict::timed_out);
  EXPECT_THAT(late, StartsWith(R"({"run":{"signal":"SIGKILL")"));
  EXPECT_THAT(late, HasSubstr(R"x("message":"Time limit exceeded (wall clock)","status":"TO")x"));
  EXPECT_THAT(run_of(Verdict::cpu_exceeded),
              HasSubstr(R"("message":"Time limit exceeded","status":"TO")"));
  EXPECT_THAT(run_of(Verdict::memory_exceeded),
              HasSubstr(R"x("message":"Caught fatal signal 9 (memory limit exceeded)",)x"
                        R"("status":"SG")"));
  EXPECT_THAT(run_of(Verdict::output_exceeded),
              HasSubstr(R"("message":"stdout length exceeded","status":"OL")"));
  auto talkative = ended(Verdict::output_exceeded);
  talkative.errors_truncated = true;
  outcome(talkative);
  EXPECT_THAT(execute(python).body,
              HasSubstr(R"("message":"stderr length exceeded","status":"EL")"));
  EXPECT_THAT(run_of(Verdict::cancelled), HasSubstr(R"("status":"XX")"));
}

TEST_F(PistonTest, AFailureOfOursIsA500) {
  auto broken = ended(Verdict::infrastructure_error);
  broken.message = "no engine";
  outcome(broken);
  auto answer = execute(python);
  EXPECT_EQ(answer.head.status, 500U);
  EXPECT_EQ(answer.body, R"({"message":"no engine"})");
}

TEST_F(PistonTest, ACompilationIsAStageOfItsOwn) {
  server_.sandbox().compile_out = "note\n";
  sandbox::Outcome both{ended(Verdict::ok, 0)};
  both.compile = ended(Verdict::ok, 0);
  server_.sandbox().outcome = both;
  auto answer = object_of(execute(c));
  EXPECT_EQ(answer["compile"].at("stdout"), "note\n");
  EXPECT_EQ(answer["run"].at("stdout"), "hello\n");
  EXPECT_EQ(answer["language"], "c");
}

TEST_F(PistonTest, AFailedCompilationIsTheRunAsWell) {
  server_.sandbox().compile_out = "error\n";
  sandbox::Outcome failed{ended(Verdict::failed, 1)};
  failed.compile = ended(Verdict::failed, 1);
  server_.sandbox().outcome = failed;
  auto answer = object_of(execute(c));
  EXPECT_EQ(answer["compile"].at("stdout"), "error\n");
  EXPECT_EQ(answer["compile"].at("status"), "RE");
  EXPECT_EQ(answer["run"], answer["compile"]);
}

TEST_F(PistonTest, MistakesKeepPistonsShape) {
  EXPECT_EQ(execute("{}").head.status, 400U);
  EXPECT_EQ(execute("{}").body, R"({"message":"language is required as a string"})");
  EXPECT_EQ(execute("{").head.status, 400U);
  EXPECT_THAT(execute("{").body, StartsWith(R"({"message":")"));
  auto type = execute(python, "text/plain");
  EXPECT_EQ(type.head.status, 415U);
  EXPECT_EQ(type.body, R"({"message":"requests must be of type application/json"})");
  auto escape =
      execute(R"({"language":"py","version":"*","files":[{"name":"../a.py","content":""}]})");
  EXPECT_EQ(escape.head.status, 500U);
  EXPECT_THAT(escape.body, HasSubstr("tries to escape parent directory"));
  EXPECT_EQ(execute(std::string((16U << 20U) + 1, ' ')).head.status, 413U);
  EXPECT_TRUE(server_.sandbox().seen.empty());
}

TEST_F(PistonTest, OtherPathsAreNotFoundInPistonsWords) {
  for (auto path : {"/api/v2/nothing", "/api/v2", "/api/v2/piston/nothing"}) {
    auto answer = server_.send("GET", path);
    EXPECT_EQ(answer.head.status, 404U) << path;
    EXPECT_EQ(answer.body, R"({"message":"Not Found"})") << path;
  }
  EXPECT_EQ(server_.send("POST", "/api/v2/packages", "{}").head.status, 405U);
}

TEST_F(PistonTest, LanguagesAreRuntimesAndPackages) {
  for (auto prefix : {"/api/v2", "/api/v2/piston"}) {
    auto runtimes = server_.send("GET", std::string{prefix} + "/runtimes");
    EXPECT_EQ(runtimes.head.status, 200U);
    EXPECT_THAT(runtimes.body, StartsWith(R"([{"language":"python","version":"3.11.0",)"
                                          R"("aliases":["python3","py"]})"));
    EXPECT_THAT(server_.send("GET", std::string{prefix} + "/packages").body,
                StartsWith(R"([{"language":"python","language_version":"3.11.0",)"
                           R"("installed":true})"));
  }
}

TEST_F(PistonTest, AClientThatGoesAwayTakesItsJobWithIt) {
  server_.sandbox().hold();
  auto gone = server_.send_beside("POST", "/api/v2/piston/execute", python, {});
  server_.loop().run(leaves_once_begun(server_, std::move(gone)));
  ASSERT_EQ(server_.sandbox().seen.size(), 1U);
  auto& executions = server_.executions();
  server_.loop().run(
      async::until([&] { return executions.unfinished(executions::Reach::everybodys()).empty(); }));
  EXPECT_EQ(executions.counters().ended.at(Verdict::cancelled), 1U);
}

TEST_F(PistonTest, AFullQueueIsA429) {
  server_.sandbox().hold();
  auto body = R"({"language":"sh","source":""})";
  for (int i = 0; i < 18; ++i) server_.ask("POST", "/api/v1/executions", body);
  auto refused = execute(python);
  EXPECT_EQ(refused.head.status, 429U);
  EXPECT_TRUE(refused.head.headers.has("Retry-After"));
  EXPECT_THAT(refused.body, StartsWith(R"({"message":")"));
}

TEST_F(PistonTest, AListedOriginMayCallAndReadTheAnswer) {
  auto asked = server_.send("OPTIONS", "/api/v2/execute", {},
                            {{"Origin", "https://editor.example"},
                             {"Access-Control-Request-Method", "POST"},
                             {"Access-Control-Request-Headers", "content-type"},
                             {"Sec-Fetch-Site", "cross-site"}});
  EXPECT_EQ(asked.head.status, 204U);
  EXPECT_EQ(asked.head.headers.get("Access-Control-Allow-Origin"), "https://editor.example");
  EXPECT_EQ(asked.head.headers.get("Access-Control-Allow-Methods"), "POST");
  EXPECT_THAT(std::string{asked.head.headers.get("Access-Control-Allow-Headers")},
              HasSubstr("Content-Type"));
  EXPECT_FALSE(asked.head.headers.has("Access-Control-Allow-Credentials"));
  auto answer =
      server_.send("POST", "/api/v2/execute", python,
                   {{"Origin", "https://editor.example"}, {"Sec-Fetch-Site", "cross-site"}});
  EXPECT_EQ(answer.head.status, 200U);
  EXPECT_EQ(answer.head.headers.get("Access-Control-Allow-Origin"), "https://editor.example");
  EXPECT_EQ(answer.head.headers.get("Vary"), "Origin");
  EXPECT_EQ(answer.head.headers.get("Cross-Origin-Resource-Policy"), "cross-origin");
}

TEST_F(PistonTest, OtherOriginsAndOtherRoutesStayShut) {
  auto other =
      server_.send("POST", "/api/v2/execute", python, {{"Origin", "https://evil.example"}});
  EXPECT_EQ(other.head.status, 403U);
  EXPECT_FALSE(other.head.headers.has("Access-Control-Allow-Origin"));
  auto own =
      server_.send("POST", "/api/v1/executions", "{}", {{"Origin", "https://editor.example"}});
  EXPECT_EQ(own.head.status, 403U);
  EXPECT_FALSE(own.head.headers.has("Access-Control-Allow-Origin"));
  EXPECT_EQ(
      server_.send("POST", "/execute", R"({"script":"x"})", {{"Origin", "https://editor.example"}})
          .head.status,
      403U);
}

TEST(PistonOriginTest, AListedOriginNeedsATokenAndACookieIsNone) {
  TestServer server{{.allowed_origins = {"https://editor.example"}}};
  auto ask = [&](TestServer::Headers headers) {
    headers.add("Origin", "https://editor.example");
    return server.send("POST", "/api/v2/execute", python, std::move(headers)).head;
  };
  auto refused = ask({});
  EXPECT_EQ(refused.status, 401U);
  EXPECT_EQ(refused.headers.get("Access-Control-Allow-Origin"), "https://editor.example");
  EXPECT_EQ(ask({{"Cookie", server.cookie()}}).status, 401U);
  EXPECT_EQ(ask(server.local()).status, 200U);
}

}  // namespace
}  // namespace gantry::api
