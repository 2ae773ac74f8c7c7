#include "api/testing_fake.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using net::WebSocket;
using testing::HasSubstr;

constexpr auto program = R"({"language":"python","source":"print(42) #"})";

async::task<void> say(WebSocket& socket, std::string text) {
  co_await socket.send(WebSocket::Kind::text, text);
}

/// The next message; `closed` when the server said good-bye.
async::task<std::string> hear(WebSocket& socket) {
  auto message = co_await async::attempt(
      async::with_deadline(Milliseconds{5'000}, "hearing", socket.receive()));
  if (!message) co_return message.error().code;
  co_return *message ? (*message)->data : "closed";
}

class LiveTest : public testing::Test {
 protected:
  WebSocket open(access::Role role = access::Role::viewer,
                 std::vector<std::string> scopes = {"containers", "executions"}) {
    who_ = server_.add_user(fmt::format("user{}", ++users_), role);
    auto token = server_.add_token(who_, role, std::move(scopes));
    return server_.loop().run(server_.open_live(token));
  }
  void tell(WebSocket& socket, std::string text) {
    server_.loop().run(say(socket, std::move(text)));
  }
  std::string next(WebSocket& socket) { return server_.loop().run(hear(socket)); }
  /// Hears until a message has `part`; answers it.
  std::string next_with(WebSocket& socket, std::string_view part) {
    for (int i = 0; i < 20; ++i) {
      auto message = next(socket);
      if (message.find(part) != std::string::npos || message == "closed") return message;
    }
    return "not heard";
  }

  TestServer server_;
  access::Identity who_;
  int users_ = 0;
};

TEST_F(LiveTest, ASubscriberToContainersIsToldAtOnce) {
  auto socket = open();
  tell(socket, R"({"subscribe":"containers"})");
  EXPECT_EQ(next(socket), R"({"items":[],"stale":true,"as_of":null,"type":"containers"})");
}

TEST_F(LiveTest, ASubscriberToContainersIsToldOfChanges) {
  auto& daemon = server_.daemon();
  daemon.expect("GET", "/info").reply(200, R"({"Name":"vm"})").always();
  auto& events = daemon.expect("GET", "/events*").stream(200, {}).stay_open();
  json::Array running{engine::FakeDaemon::container("aa", "web", "running")};
  json::Array exited{engine::FakeDaemon::container("aa", "web", "exited")};
  daemon.expect("GET", "/containers/json?all=1").reply(200, json::serialize(running));
  daemon.expect("GET", "/containers/json*").reply(200, json::serialize(exited));
  server_.supervise_link();
  auto socket = open();
  tell(socket, R"({"subscribe":"containers"})");
  EXPECT_THAT(next_with(socket, R"("state":"running")"), HasSubstr(R"("stale":false)"));
  events.push(engine::FakeDaemon::event("die", "aa"));
  EXPECT_THAT(next_with(socket, R"("state":"exited")"), HasSubstr(R"("name":"web")"));
}

TEST_F(LiveTest, ASubscriberToExecutionsIsToldOfEachState) {
  server_.sandbox().hold();
  auto socket = open(access::Role::admin);
  tell(socket, R"({"subscribe":"executions"})");
  server_.ask("POST", "/api/v1/executions", program);
  auto running = next_with(socket, R"("state":"running")");
  EXPECT_THAT(running, HasSubstr(R"("type":"executions")"));
  EXPECT_THAT(running, testing::Not(HasSubstr(R"("stdout":)")));
  server_.sandbox().release();
  EXPECT_THAT(next_with(socket, R"("state":"finished")"), HasSubstr(R"("verdict":"ok")"));
}

TEST_F(LiveTest, AnExecutionThatCameAndWentAtOnceIsTold) {
  auto socket = open(access::Role::admin);
  tell(socket, R"({"subscribe":"executions"})");
  // The subscription must have been understood before.
  server_.loop().run(async::pause(Milliseconds{50}));
  for (int i = 0; i < 3; ++i) server_.ask("POST", "/api/v1/executions?wait=true", program);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(next_with(socket, R"("state":"finished")"), HasSubstr(R"("verdict":"ok")"));
  }
}

TEST_F(LiveTest, WhatWasFinishedBeforeIsNotTold) {
  server_.ask("POST", "/api/v1/executions?wait=true", program);
  auto socket = open(access::Role::admin);
  tell(socket, R"({"subscribe":"executions"})");
  tell(socket, R"({"subscribe":"containers"})");
  EXPECT_THAT(next(socket), HasSubstr(R"("type":"containers")"));
}

TEST_F(LiveTest, ATokenWithoutTheScopeIsToldSo) {
  auto socket = open(access::Role::viewer, {"containers"});
  tell(socket, R"({"subscribe":"executions"})");
  auto refusal = next(socket);
  EXPECT_THAT(refusal, HasSubstr(R"("type":"error")"));
  EXPECT_THAT(refusal, HasSubstr(R"("code":"scope_missing")"));
}

TEST_F(LiveTest, AnUnknownMessageEndsTheChannel) {
  for (auto text :
       {"", "{}", "hello", R"({"subscribe":"secrets"})", R"({"subscribe":"containers","and":1})"}) {
    auto socket = open();
    tell(socket, text);
    EXPECT_EQ(next(socket), "closed") << text;
  }
}

TEST_F(LiveTest, TheChannelEndsWhenItsReaderIsSignedOut) {
  auto socket = open();
  tell(socket, R"({"subscribe":"containers"})");
  next(socket);
  auto id = server_.access().tokens(who_.user).front().id;
  ASSERT_TRUE(server_.loop().run(server_.access().revoke_token(who_, id)));
  EXPECT_EQ(next(socket), "closed");
}

TEST_F(LiveTest, TheChannelEndsWhenTheServerStops) {
  auto socket = open();
  server_.tasks().spawn("close", server_.server().close(Milliseconds{3'000}));
  EXPECT_EQ(next(socket), "closed");
}

TEST_F(LiveTest, WithoutAHandshakeItIsA400) {
  EXPECT_EQ(refusal_of(server_.ask("GET", "/api/v1/live")), "400 websocket_required");
}

}  // namespace
}  // namespace gantry::api
