#include "api/testing_fake.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "fleet/fleet.hpp"
#include "net/http_client.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using testing::HasSubstr;
using testing::Not;

class EventsTest : public testing::Test {
 protected:
  fleet::EventLog& log() { return server_.fleet().events(); }
  fleet::HostId local() { return server_.fleet().local()->config().id; }
  void happen(std::string action, std::string project = {}, std::string type = "container") {
    engine::Event event{.type = std::move(type),
                        .action = std::move(action),
                        .actor_id = "abc",
                        .attributes = {{"name", "web"}},
                        .time = WallTime{Milliseconds{1'790'000'000'000}}};
    if (!project.empty()) event.attributes["com.docker.compose.project"] = project;
    log().note(local(), "local", event);
  }
  /// Reads until `part` has come, or for 5 s; answers everything.
  async::task<std::string> read(std::string target, net::http::Headers headers, std::string part) {
    net::http::Client client{server_.loop().executor(), server_.dial(), server_.host()};
    auto answer = co_await client.stream({"GET", std::move(target), std::move(headers)});
    std::string all;
    while (all.find(part) == all.npos) {
      auto piece = co_await answer.read(Milliseconds{0});
      if (piece.empty()) break;
      all += piece;
    }
    co_return all;
  }
  std::string events(std::string query, std::string part, net::http::Headers headers) {
    return server_.loop().run(
        async::with_deadline(Milliseconds{60'000}, "reading events",
                             read("/api/v1/events" + query, std::move(headers), std::move(part))));
  }
  net::http::Headers since(std::uint64_t number, net::http::Headers headers) {
    headers.set("Last-Event-ID", log().cursor(number));
    return headers;
  }

  TestServer server_;
};

TEST_F(EventsTest, WhoComesBackIsToldWhatHappenedMeanwhile) {
  happen("create");
  auto seen = log().last();
  happen("start");
  auto told = events("", "\"start\"", since(seen, server_.local()));
  EXPECT_THAT(told, HasSubstr(fmt::format("id: {}\nevent: event\ndata: {{", log().cursor(2))));
  EXPECT_THAT(told, HasSubstr(R"("host":"local","type":"container","action":"start","id":"abc")"));
  EXPECT_THAT(told, Not(HasSubstr("create")));
}

TEST_F(EventsTest, OnlyWhatIsAskedForIsTold) {
  happen("create");
  happen("pull", {}, "image");
  happen("start");
  happen("die");
  auto told = events("?type=container&action=start&action=die&host=local", "die",
                     since(0, server_.local()));
  EXPECT_THAT(told, HasSubstr("\"start\""));
  EXPECT_THAT(told, Not(HasSubstr("create")));
  EXPECT_THAT(told, Not(HasSubstr("pull")));
}

TEST_F(EventsTest, WhatIsNotKnownAnyMoreIsAGap) {
  happen("create");
  auto seen = log().last();
  for (int i = 0; i < 1'500; ++i) happen("restart");
  auto told = events("", "restart", since(seen, server_.local()));
  EXPECT_THAT(told,
              HasSubstr("event: gap\ndata: {\"reason\":\"forgotten\",\"hosts\":[\"local\"]}"));
}

TEST_F(EventsTest, AnotherRunOfTheServerIsAGapToo) {
  happen("start");
  auto headers = server_.local();
  headers.set("Last-Event-ID", "elsewhere-7");
  auto told = events("", "\"start\"", std::move(headers));
  EXPECT_THAT(told, HasSubstr("\"reason\":\"server_restarted\""));
}

TEST_F(EventsTest, WhoMayNotSeeAContainerIsNotToldOfIt) {
  auto who = server_.add_user("ben", access::Role::viewer);
  auto token = server_.add_token(who, access::Role::viewer, {"containers"});
  value_or_throw(server_.loop().run(server_.access().set_grants(
      server_.owner(), who.user, {{.host = "local", .project = "shop"}})));
  happen("start", "secret");
  happen("pull", {}, "image");
  happen("stop", "shop");
  auto told = events("", "\"stop\"", since(0, TestServer::bearer(token)));
  EXPECT_THAT(told, Not(HasSubstr("secret")));
  EXPECT_THAT(told, Not(HasSubstr("pull")));
  EXPECT_THAT(told, HasSubstr("\"project\":\"shop\""));
}

TEST_F(EventsTest, ATokenForAProjectIsToldOfNothingElseThatItsUserSees) {
  auto token = server_.add_token(server_.owner(), access::Role::viewer, {"containers"},
                                 {{.host = "local", .project = "shop"}});
  happen("start", "secret");
  happen("pull", {}, "image");
  happen("stop", "shop");
  auto told = events("", "\"stop\"", since(0, TestServer::bearer(token)));
  EXPECT_THAT(told, Not(HasSubstr("secret")));
  EXPECT_THAT(told, Not(HasSubstr("pull")));
}

TEST_F(EventsTest, AnOddCursorOrFilterIsRefused) {
  auto headers = server_.local();
  headers.set("Last-Event-ID", std::string(100, 'x'));
  EXPECT_EQ(server_.send("GET", "/api/v1/events", {}, headers).head.status, 400U);
  EXPECT_EQ(server_.ask("GET", "/api/v1/events?kind=x").head.status, 400U);
}

}  // namespace
}  // namespace gantry::api
