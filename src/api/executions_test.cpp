#include "api/testing_fake.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto program = R"({"language":"python","source":"print(42) #"})";

async::task<void> revoke_soon(access::Access& access, access::Identity by, access::TokenId id) {
  co_await async::pause(Milliseconds{50});
  co_await access.revoke_token(std::move(by), std::move(id));
}

async::task<void> finish(async::task<net::http::Response> request) { co_await std::move(request); }
async::task<void> is_listed(executions::Executions& all) {
  while ((co_await all.list({}, executions::Reach::everybodys())).items.empty()) {
    co_await async::pause(Milliseconds{2});
  }
}

class ExecutionsApiTest : public testing::Test {
 protected:
  std::string submit(std::string body = program) {
    auto accepted = server_.ask("POST", "/api/v1/executions", std::move(body));
    EXPECT_EQ(accepted.head.status, 202U) << accepted.body;
    return "/api/v1/executions/" + text(object_of(accepted), "id");
  }
  json::Object read(const std::string& path) { return object_of(server_.ask("GET", path)); }
  static std::string text(json::Object object, std::string_view member) {
    return std::string{object[member].as_string().c_str()};
  }
  void until_state(const std::string& path, std::string_view state) {
    for (int i = 0; i < 20'000 && text(read(path), "state") != state; ++i) {
      server_.loop().run(async::pause(Milliseconds{2}));
    }
    EXPECT_EQ(text(read(path), "state"), state);
  }

  TestServer server_;
};

TEST_F(ExecutionsApiTest, WaitingAnswersTheResult) {
  auto answer = server_.ask("POST", "/api/v1/executions?wait=true", program);
  ASSERT_EQ(answer.head.status, 200U) << answer.body;
  auto execution = object_of(answer);
  EXPECT_EQ(execution["verdict"], "ok");
  EXPECT_EQ(execution["stdout"], "hello\n");
  EXPECT_EQ(execution["language"], "python");
  EXPECT_EQ(execution["image"], "python:3.11-alpine");
  EXPECT_EQ(execution["served_image"], "gantry/python:latest");
  EXPECT_THAT(answer.body, HasSubstr(R"("wall_time_ms":12.5)"));
}

TEST_F(ExecutionsApiTest, WithoutWaitingTheAnswerIsItsPlace) {
  server_.sandbox().hold();
  auto answer = server_.ask("POST", "/api/v1/executions", program);
  EXPECT_EQ(answer.head.status, 202U);
  auto id = text(object_of(answer), "id");
  EXPECT_EQ(answer.head.headers.get("Location"), "/api/v1/executions/" + id);
  until_state("/api/v1/executions/" + id, "running");
  server_.sandbox().release();
  until_state("/api/v1/executions/" + id, "finished");
}

TEST_F(ExecutionsApiTest, WhatIsAskedForReachesTheExecutor) {
  auto body = R"({"image":"alpine:latest","command":["cat","a/b"],"args":["-n"],
                  "files":[{"path":"a/b","content":"aGk=","encoding":"base64"}],
                  "env":{"A":"1"},"stdin":"in","limits":{"wall_time_ms":1500,"pids":8}})";
  server_.ask("POST", "/api/v1/executions?wait=true", body);
  ASSERT_EQ(server_.sandbox().seen.size(), 1U);
  const auto& seen = server_.sandbox().seen.front();
  EXPECT_THAT(seen.program.command, testing::ElementsAre("cat", "a/b", "-n"));
  EXPECT_EQ(seen.program.files.front().content, "hi");
  EXPECT_EQ(seen.program.input, "in");
  EXPECT_EQ(seen.policy.wall_time, Milliseconds{1500});
  EXPECT_EQ(seen.policy.cpu_time, Milliseconds{1500});
  EXPECT_EQ(seen.policy.pids, 8);
}

TEST_F(ExecutionsApiTest, OutputThatIsNoTextComesInBase64) {
  server_.sandbox().out = "\xff";
  auto execution = object_of(server_.ask("POST", "/api/v1/executions?wait=true", program));
  EXPECT_EQ(execution["encoding"], "base64");
  EXPECT_EQ(execution["stdout"], "/w==");
}

TEST_F(ExecutionsApiTest, ALargeProgramAndItsLargeOutputArrive) {
  server_.sandbox().out = std::string(1'000'000, 'x');
  std::string source(900'000, '#');
  auto answer = server_.ask("POST", "/api/v1/executions?wait=true",
                            fmt::format(R"({{"language":"python","source":"{}"}})", source));
  auto execution = object_of(answer);
  EXPECT_EQ(execution["stdout"].as_string().size(), 1'000'000U);
  EXPECT_EQ(execution["source"].as_string().size(), 900'000U);
}

TEST_F(ExecutionsApiTest, TheListIsNewestFirstInPages) {
  for (int i = 0; i < 3; ++i) server_.ask("POST", "/api/v1/executions?wait=true", program);
  auto first = read("/api/v1/executions?limit=2");
  EXPECT_EQ(first["items"].as_array().size(), 2U);
  EXPECT_FALSE(first["items"].as_array().front().as_object().contains("stdout"));
  auto second = read("/api/v1/executions?limit=2&cursor=" + text(first, "next"));
  EXPECT_EQ(second["items"].as_array().size(), 1U);
  EXPECT_EQ(second["next"], nullptr);
}

TEST_F(ExecutionsApiTest, CancellingEndsItOnce) {
  server_.sandbox().hold();
  auto path = submit();
  until_state(path, "running");
  EXPECT_EQ(server_.ask("DELETE", path).head.status, 202U);
  until_state(path, "finished");
  EXPECT_EQ(text(read(path), "verdict"), "cancelled");
  EXPECT_EQ(refusal_of(server_.ask("DELETE", path)), "409 already_finished");
}

TEST_F(ExecutionsApiTest, WhatIsNotThereIsNotFound) {
  for (auto path : {"/api/v1/executions/01nothing", "/api/v1/executions/01nothing/events"}) {
    EXPECT_EQ(refusal_of(server_.ask("GET", path)), "404 no_such_execution") << path;
  }
  EXPECT_EQ(refusal_of(server_.ask("DELETE", "/api/v1/executions/x")), "404 no_such_execution");
}

TEST_F(ExecutionsApiTest, TheEventsTellItFromTheStart) {
  server_.sandbox().out = "h\xc3\xa4\n";
  server_.sandbox().err = "\xff";
  server_.sandbox().hold();
  auto path = submit();
  until_state(path, "running");
  server_.sandbox().release_after(Milliseconds{1'000});  // when the reader has long been there
  auto events = server_.read_stream(path + "/events", server_.local());
  EXPECT_THAT(events, HasSubstr("event: progress\ndata: {\"message\":\"pulling the image\"}\n\n"));
  EXPECT_THAT(events,
              HasSubstr("event: state\ndata: {\"state\":\"running\",\"stage\":\"run\"}\n\n"));
  EXPECT_THAT(events, HasSubstr("event: stdout\ndata: {\"text\":\"h\xc3\xa4\\n\"}\n\n"));
  EXPECT_THAT(events, HasSubstr("event: stderr\ndata: {\"base64\":\"/w==\"}\n\n"));
  auto verdict = events.find("event: verdict\ndata: ");
  ASSERT_NE(verdict, std::string::npos);
  EXPECT_THAT(events.substr(verdict), HasSubstr(R"("verdict":"ok")"));
  EXPECT_EQ(events.find("event: ", verdict + 1), std::string::npos);
}

TEST_F(ExecutionsApiTest, TheEventsOfAFinishedOneCanBeReadAgain) {
  auto path = submit();
  until_state(path, "finished");
  auto events = server_.read_stream(path + "/events", server_.local());
  EXPECT_THAT(events, HasSubstr("event: stdout\ndata: {\"text\":\"hello\\n\"}\n\n"));
  EXPECT_THAT(events, HasSubstr("event: verdict\n"));
}

TEST_F(ExecutionsApiTest, AStreamEndsWhenItsReaderIsSignedOut) {
  server_.sandbox().hold();
  auto path = submit();
  auto reader = server_.add_user("bob", access::Role::admin);
  auto token = server_.add_token(reader, access::Role::admin, {"executions"});
  auto id = server_.access().tokens(reader.user).front().id;
  server_.tasks().spawn("revoke", revoke_soon(server_.access(), reader, id));
  auto events = server_.read_stream(path + "/events", TestServer::bearer(token));
  EXPECT_THAT(events, Not(HasSubstr("event: verdict")));
}

TEST_F(ExecutionsApiTest, AClientThatGoesAwayLeavesTheExecutionToItsVerdict) {
  server_.sandbox().hold();
  auto gone = server_.send_beside("POST", "/api/v1/executions?wait=true", program, server_.local());
  // A program that somebody waits for comes into the list a little later.
  server_.loop().run(async::race(finish(std::move(gone)), is_listed(server_.executions())));
  auto listed = read("/api/v1/executions");
  auto path = "/api/v1/executions/" + text(listed["items"].as_array().front().as_object(), "id");
  until_state(path, "running");
  server_.sandbox().release();
  until_state(path, "finished");
  EXPECT_EQ(text(read(path), "verdict"), "ok");
}

TEST(QueueTest, AFullQueueIsA429WithATime) {
  TestServer server{{.queued_max = 1}};
  server.sandbox().hold();
  for (int i = 0; i < 3; ++i) server.ask("POST", "/api/v1/executions", program);
  auto refused = server.ask("POST", "/api/v1/executions", program);
  EXPECT_EQ(refusal_of(refused), "429 queue_full");
  EXPECT_EQ(refused.head.headers.get("Retry-After"), "1");
}

TEST(SystemApiTest, ItTellsLanguagesLimitsAndAliases) {
  TestServer server;
  auto body = server.ask("GET", "/api/v1/system").body;
  EXPECT_THAT(body, HasSubstr(R"("wall_time_ms":{"min":1,"max":300000,"default":10000})"));
  EXPECT_THAT(body, HasSubstr(R"("cpus":{"min":0.1,"max":8,"default":1})"));
  EXPECT_THAT(body, HasSubstr(R"("python:3.11-alpine":"gantry/python:latest")"));
  EXPECT_THAT(body, HasSubstr(R"("state":"unreachable")"));
  EXPECT_EQ(server.send("GET", "/api/openapi.yaml").body, openapi_document());
}

}  // namespace
}  // namespace gantry::api
