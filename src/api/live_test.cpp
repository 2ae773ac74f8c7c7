#include "api/live.hpp"

#include "api/testing_fake.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "fleet/fleet.hpp"

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
      async::with_deadline(Milliseconds{60'000}, "hearing", socket.receive()));
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
  EXPECT_EQ(next(socket),
            R"({"host":"local","state":"connecting","stale":true,"as_of":null,"items":[],)"
            R"("removed":[],"full":true,"type":"containers","topic":"containers"})");
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

TEST_F(LiveTest, OnlyWhatHasChangedIsToldAgain) {
  auto& daemon = server_.daemon();
  daemon.expect("GET", "/info").reply(200, R"({"Name":"vm"})").always();
  auto& events = daemon.expect("GET", "/events*").stream(200, {}).stay_open();
  json::Array both{engine::FakeDaemon::container("aa", "web", "running"),
                   engine::FakeDaemon::container("bb", "cache", "running")};
  json::Array exited{engine::FakeDaemon::container("aa", "web", "exited")};
  daemon.expect("GET", "/containers/json?all=1").reply(200, json::serialize(both));
  daemon.expect("GET", "/containers/json*").reply(200, json::serialize(exited));
  server_.supervise_link();
  auto socket = open();
  tell(socket, R"({"subscribe":"host:local"})");
  EXPECT_THAT(next_with(socket, R"("name":"web")"), HasSubstr(R"("name":"cache")"));
  events.push(engine::FakeDaemon::event("die", "aa"));
  auto news = next_with(socket, R"("state":"exited")");
  EXPECT_THAT(news, HasSubstr(R"("full":false,"type":"containers","topic":"host:local")"));
  EXPECT_THAT(news, testing::Not(HasSubstr("cache")));
  events.push(engine::FakeDaemon::event("destroy", "bb"));
  EXPECT_THAT(next_with(socket, R"("removed":["bb)"), HasSubstr(R"("items":[])"));
}

TEST_F(LiveTest, WhoSeesOneProjectIsNotToldWhyTheHostIsAway) {
  server_.daemon().server().refuse_connections(
      {ErrorKind::unavailable, "not_listening", "nobody listens", {}});
  server_.supervise_link();
  server_.loop().run(async::until([this] { return server_.local_view().error.has_value(); }));
  auto socket = open();
  value_or_throw(server_.loop().run(server_.access().set_grants(
      server_.owner(), who_.user, {{.host = "local", .project = "shop"}})));
  tell(socket, R"({"subscribe":"containers"})");
  EXPECT_THAT(next_with(socket, R"("error":)"),
              HasSubstr(R"("detail":"cannot reach host 'local'")"));
}

TEST_F(LiveTest, WhoSeesOneProjectIsToldOfThatOnly) {
  auto& daemon = server_.daemon();
  daemon.expect("GET", "/info").reply(200, R"({"Name":"vm"})").always();
  daemon.expect("GET", "/events*").stream(200, {}).stay_open();
  auto shop = engine::FakeDaemon::container("aa", "web", "running");
  shop["Labels"] = json::Object{{"com.docker.compose.project", "shop"}};
  json::Array both{shop, engine::FakeDaemon::container("bb", "secret", "running")};
  daemon.expect("GET", "/containers/json?all=1").reply(200, json::serialize(both));
  server_.supervise_link();
  auto socket = open();
  value_or_throw(server_.loop().run(server_.access().set_grants(
      server_.owner(), who_.user, {{.host = "local", .project = "shop"}})));
  tell(socket, R"({"subscribe":"containers"})");
  EXPECT_THAT(next_with(socket, "web"), testing::Not(HasSubstr("secret")));
  daemon.expect("GET", "/containers/secret/json")
      .reply(200, R"({"Id":"bbbbbbbbbbbb","Name":"/secret","Config":{"Labels":{}}})");
  tell(socket, R"({"subscribe":"logs:local/secret"})");
  EXPECT_THAT(next_with(socket, R"("topic":"logs:local/secret")"), HasSubstr("no_such_container"));
}

TEST_F(LiveTest, AHostThatIsNotThereOrMayNotBeSeenIsAnError) {
  auto socket = open();
  tell(socket, R"({"subscribe":"host:nowhere"})");
  EXPECT_THAT(next_with(socket, R"("topic":"host:nowhere")"), HasSubstr("no_such_host"));
  tell(socket, R"({"subscribe":"stats:nowhere/web"})");
  EXPECT_THAT(next_with(socket, R"("topic":"stats:nowhere/web")"), HasSubstr("no_such_host"));
}

TEST_F(LiveTest, EventsAreToldFromWhereTheyWereLeft) {
  auto& log = server_.fleet().events();
  auto id = server_.fleet().local()->config().id;
  log.note_host(id, "local", "first");
  auto cursor = log.cursor(log.last());
  log.note_host(id, "local", "second");
  auto socket = open();
  tell(socket, fmt::format(R"({{"subscribe":"events","after":"{}"}})", cursor));
  auto told = next_with(socket, R"("type":"events")");
  EXPECT_THAT(told, HasSubstr(R"("action":"second")"));
  EXPECT_THAT(told, testing::Not(HasSubstr("first")));
  EXPECT_THAT(told, HasSubstr(fmt::format(R"("cursor":"{}")", log.cursor(log.last()))));
}

TEST_F(LiveTest, WhatWasUnsubscribedIsNotToldAnyMore) {
  auto& log = server_.fleet().events();
  auto id = server_.fleet().local()->config().id;
  auto socket = open();
  tell(socket, fmt::format(R"({{"subscribe":"events","after":"{}"}})", log.cursor(log.last())));
  log.note_host(id, "local", "first");
  EXPECT_THAT(next(socket), HasSubstr("first"));
  tell(socket, R"({"unsubscribe":"events"})");
  tell(socket, R"({"subscribe":"host:nowhere"})");
  next_with(socket, "no_such_host");
  log.note_host(id, "local", "second");
  tell(socket, R"({"subscribe":"host:elsewhere"})");
  EXPECT_THAT(next(socket), HasSubstr("no_such_host"));
}

TEST_F(LiveTest, ThereIsABoundOnSubscriptions) {
  auto& daemon = server_.daemon();
  daemon.expect("GET", "/containers/*").hang().always();
  auto socket = open();
  for (std::size_t i = 0; i <= LiveChannel::topics_max; ++i) {
    tell(socket, fmt::format(R"({{"subscribe":"stats:local/container{}"}})", i));
  }
  EXPECT_THAT(next_with(socket, "too_many"), HasSubstr(R"("code":"too_many_subscriptions")"));
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
  // The subscription must have been understood before, as it has once the next one is refused.
  tell(socket, R"({"subscribe":"host:nowhere"})");
  next_with(socket, R"("topic":"host:nowhere")");
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
       {"", "{}", "hello", R"({"subscribe":"secrets"})", R"({"subscribe":"containers","and":1})",
        R"({"subscribe":"containers","unsubscribe":"events"})", R"({"subscribe":"host:"})",
        R"({"subscribe":"logs:local"})", R"({"subscribe":"events","tail":3})",
        R"({"subscribe":"host:../x"})"}) {
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
