#include "api/leaving_fake.hpp"
#include "api/testing_fake.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using testing::HasSubstr;

constexpr auto program = R"({"language":"python","source":"42"})";

async::task<void> finish(async::task<net::http::Response> request) { co_await std::move(request); }

class SubmissionsApiTest : public testing::Test {
 protected:
  TestServer::Response keyed(std::string key, std::string body, std::string path = {}) {
    auto headers = server_.local();
    headers.set("Idempotency-Key", key);
    return server_.send("POST", "/api/v1/executions" + path, std::move(body), headers);
  }
  static std::string id_of(const TestServer::Response& response) {
    return std::string{object_of(response)["id"].as_string().c_str()};
  }
  json::Object read(const std::string& path) { return object_of(server_.ask("GET", path)); }
  std::string verdict_of(const std::string& id) {
    for (int i = 0; i < 20'000; ++i) {
      auto execution = read("/api/v1/executions/" + id);
      if (execution["state"] == "finished") return execution["verdict"].as_string().c_str();
      server_.loop().run(async::pause(Milliseconds{2}));
    }
    return "none";
  }
  std::string refusal(std::string member) {
    auto body = fmt::format(R"({{"language":"python","source":"1",{}}})", member);
    return server_.ask("POST", "/api/v1/executions", body).body;
  }

  TestServer server_;
};

TEST_F(SubmissionsApiTest, TheExecutorIsAskedFor) {
  auto body = R"({"language":"python","source":"1","executor":"local"})";
  server_.sandbox().outcome.executor = "local";
  auto answer = object_of(server_.ask("POST", "/api/v1/executions?wait=true", body));
  EXPECT_EQ(answer["executor"], "local");
  EXPECT_EQ(server_.sandbox().seen.at(0).executor, sandbox::ExecutorChoice::local);
}

TEST_F(SubmissionsApiTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(refusal(R"("executor":"cloud")"), HasSubstr("'executor' must be 'auto', 'docker'"));
  EXPECT_THAT(refusal(R"("terminal":{})"), HasSubstr("'terminal' needs 'interactive'"));
  EXPECT_THAT(refusal(R"("interactive":true,"terminal":{"rows":0})"), HasSubstr("terminal.rows"));
  EXPECT_THAT(refusal(R"("webhook":{})"), HasSubstr("webhook.url"));
  EXPECT_THAT(refusal(R"("webhook":{"url":"ftp://example.org/"})"), HasSubstr("https"));
  EXPECT_THAT(refusal(R"("webhook":{"url":"http://127.0.0.1/"})"), HasSubstr("invalid_webhook"));
}

TEST_F(SubmissionsApiTest, ABatchHasARecordOrAnErrorForEach) {
  auto body = fmt::format(R"({{"executions":[{},{{"language":"klingon"}},{}]}})", program, program);
  auto accepted = server_.ask("POST", "/api/v1/executions/batch", body);
  ASSERT_EQ(accepted.head.status, 202U) << accepted.body;
  auto batch = object_of(accepted);
  auto& items = batch["items"].as_array();
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items[0].at("error"), nullptr);
  EXPECT_EQ(items[0].at("execution").at("language"), "python");
  EXPECT_EQ(items[1].at("execution"), nullptr);
  EXPECT_EQ(items[1].at("error").at("code"), "invalid_field");
  EXPECT_THAT(items[1].at("error").at("detail").as_string().c_str(), HasSubstr("executions[1]"));
  EXPECT_EQ(items[2].at("execution").at("batch"), batch["batch"]);

  auto path = fmt::format("/api/v1/executions?batch={}", batch["batch"].as_string().c_str());
  EXPECT_EQ(read(path)["items"].as_array().size(), 2U);
}

TEST_F(SubmissionsApiTest, ABatchOfNothingRightHasNoName) {
  auto answer = server_.ask("POST", "/api/v1/executions/batch", R"({"executions":[{}]})");
  EXPECT_EQ(object_of(answer)["batch"], nullptr);
}

TEST_F(SubmissionsApiTest, ABatchHasItsBounds) {
  std::string many = "{}";
  for (int i = 0; i < 100; ++i) many += ",{}";
  for (const auto& executions : {std::string{}, many}) {
    auto body = fmt::format(R"({{"executions":[{}]}})", executions);
    auto refused = server_.ask("POST", "/api/v1/executions/batch", body);
    EXPECT_EQ(refusal_of(refused), "400 invalid_field") << refused.body;
  }
}

TEST_F(SubmissionsApiTest, ABatchThatDoesNotFitIsRefusedAsAWhole) {
  server_.sandbox().hold();
  std::string many = program;
  for (int i = 0; i < 18; ++i) many += fmt::format(",{}", program);
  auto body = fmt::format(R"({{"executions":[{}]}})", many);
  auto refused = server_.ask("POST", "/api/v1/executions/batch", body);
  EXPECT_EQ(refusal_of(refused), "429 queue_full");
  EXPECT_EQ(refused.head.headers.get("Retry-After"), "1");
  EXPECT_TRUE(read("/api/v1/executions")["items"].as_array().empty());
}

TEST_F(SubmissionsApiTest, TheSameKeyAndBodyAreTheSameExecution) {
  auto first = keyed("abc", program);
  auto second = keyed("abc", program, "?wait=true");
  EXPECT_FALSE(first.head.headers.has("Idempotency-Replayed"));
  EXPECT_EQ(second.head.headers.get("Idempotency-Replayed"), "true");
  EXPECT_EQ(id_of(first), id_of(second));
  EXPECT_EQ(object_of(second)["state"], "finished");
  EXPECT_EQ(server_.sandbox().seen.size(), 1U);
}

TEST_F(SubmissionsApiTest, TheSameKeyWithAnotherBodyIsAConflict) {
  keyed("abc", program);
  auto refused = keyed("abc", R"({"language":"python","source":"43"})");
  EXPECT_EQ(refusal_of(refused), "409 idempotency_key_reused");
}

TEST_F(SubmissionsApiTest, AKeyHasItsForm) {
  for (auto key : {std::string{}, std::string{"a b"}, std::string(256, 'x')}) {
    EXPECT_EQ(refusal_of(keyed(key, program)), "400 invalid_idempotency_key") << key;
  }
}

TEST_F(SubmissionsApiTest, AClientThatGoesAwayCancelsWhenItHasAskedFor) {
  server_.sandbox().hold();
  auto gone = server_.send_beside("POST", "/api/v1/executions?wait=true&cancel_on_disconnect=true",
                                  program, server_.local());
  server_.loop().run(leaves_once_begun(server_, std::move(gone)));
  auto id = read("/api/v1/executions")["items"].as_array().at(0).at("id").as_string();
  EXPECT_EQ(verdict_of(id.c_str()), "cancelled");
}

TEST_F(SubmissionsApiTest, SoDoesAFollowerOfItsEvents) {
  server_.sandbox().hold();
  auto id = id_of(server_.ask("POST", "/api/v1/executions", program));
  auto path = fmt::format("/api/v1/executions/{}/events?cancel_on_disconnect=true", id);
  // Whoever leaves before being heard has not followed: again, then.
  for (int i = 0; i < 100 && read("/api/v1/executions/" + id)["state"] != "finished"; ++i) {
    auto gone = server_.send_beside("GET", path, {}, server_.local());
    server_.loop().run(async::race(finish(std::move(gone)), async::pause(Milliseconds{200})));
  }
  EXPECT_EQ(verdict_of(id), "cancelled");
}

TEST_F(SubmissionsApiTest, WhoMayNotCancelMayNotDoItByLeaving) {
  auto bob = server_.add_user("bob", access::Role::operator_);
  auto his = TestServer::bearer(server_.add_token(bob, access::Role::operator_, {"executions"}));
  auto id = id_of(server_.send("POST", "/api/v1/executions", program, his));
  auto token = server_.add_token(bob, access::Role::viewer, {"executions"});
  for (const auto* place : {"events", "stream"}) {
    auto path = fmt::format("/api/v1/executions/{}/{}?cancel_on_disconnect=true", id, place);
    auto refused = server_.send("GET", path, {}, TestServer::bearer(token));
    EXPECT_EQ(refusal_of(refused), "403 role_missing") << place;
  }
}

TEST(RepeatedBatch, TellsInItsPlaceWhatIsDeletedMeanwhile) {
  TestServer server{{.kept = {.bytes_max = Bytes{100'000}}}};
  server.sandbox().out = std::string(40'000, 'o');
  auto headers = server.local();
  headers.set("Idempotency-Key", "k");
  auto body = fmt::format(R"({{"executions":[{0},{{"language":"cobol"}},{0},{0}]}})", program);
  auto post = [&] {
    return object_of(server.send("POST", "/api/v1/executions/batch", body, headers))["items"];
  };
  auto first = post().as_array();
  auto kept = [&] {
    return object_of(server.ask("GET", "/api/v1/executions"))["items"].as_array();
  };
  for (int i = 0; i < 500 && kept().size() > 2; ++i)
    server.loop().run(async::pause(Milliseconds{10}));
  auto second = post().as_array();
  ASSERT_EQ(second.size(), 4U);
  EXPECT_EQ(second[0].at("error").at("code"), "no_such_execution");
  EXPECT_TRUE(second[1].at("execution").is_null());
  for (auto i : {2U, 3U}) {
    EXPECT_EQ(second[i].at("execution").at("id"), first[i].at("execution").at("id"));
  }
}

TEST_F(SubmissionsApiTest, ALargeArtifactComesWhole) {
  std::string large(1'000'000, 'x');
  large.back() = 'y';
  server_.sandbox().outcome.artifacts = {{"large", large}};
  auto execution = object_of(server_.ask("POST", "/api/v1/executions?wait=true", program));
  auto path = fmt::format("/api/v1/executions/{}/artifacts/0", execution["id"].as_string().c_str());
  EXPECT_TRUE(server_.ask("GET", path).body == large);
}

TEST_F(SubmissionsApiTest, ArtifactsAreListedAndDownloaded) {
  server_.sandbox().outcome.artifacts = {{"a/pl\"ot\xc3\xa4.html", "<script>"}};
  auto execution = object_of(server_.ask("POST", "/api/v1/executions?wait=true", program));
  EXPECT_EQ(execution["artifacts"].at(0).at("size_bytes"), 8);
  auto path = fmt::format("/api/v1/executions/{}/artifacts", execution["id"].as_string().c_str());
  EXPECT_EQ(read(path)["items"].at(0).at("path"), "a/pl\"ot\xc3\xa4.html");

  auto file = server_.ask("GET", path + "/0");
  EXPECT_EQ(file.body, "<script>");
  EXPECT_EQ(file.head.headers.get("Content-Type"), "application/octet-stream");
  EXPECT_EQ(file.head.headers.get("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(file.head.headers.get("Content-Disposition"),
            "attachment; filename=\"pl_ot__.html\"; filename*=UTF-8''pl%22ot%C3%A4.html");
  for (const auto* wrong : {"/1", "/x", "/-1", "/99999999999999999999999"}) {
    EXPECT_EQ(refusal_of(server_.ask("GET", path + wrong)), "404 no_such_artifact") << wrong;
  }
}

TEST_F(SubmissionsApiTest, TheCompilationIsToldApart) {
  server_.sandbox().outcome.compile = {
      .verdict = sandbox::Verdict::ok, .exit_code = 0, .errors_truncated = true};
  server_.sandbox().outcome.output_truncated = true;
  auto execution = object_of(server_.ask("POST", "/api/v1/executions?wait=true", program));
  EXPECT_EQ(execution["compile"].at("verdict"), "ok");
  EXPECT_EQ(execution["compile"].at("stdout"), "");
  EXPECT_EQ(execution["compile"].at("stderr_truncated"), true);
  EXPECT_EQ(execution["stdout_truncated"], true);
  EXPECT_EQ(execution["stderr_truncated"], false);
}

}  // namespace
}  // namespace gantry::api
