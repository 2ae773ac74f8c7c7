#include "api/testing_fake.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "fleet/fleet.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What somebody sees of a host they have a part of, while their rights change, and by names that
// mean somebody else's.
namespace gantry::api {
namespace {

using access::Role;
using engine::FakeDaemon;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view project_label = "com.docker.compose.project";

/// Two containers: one of the project `shop`, one of nobody's. `carol` operates the project.
class AbuseSightTest : public testing::Test {
 protected:
  AbuseSightTest() {
    auto mine = FakeDaemon::container("aaaa", theirs_.substr(0, 12), "running");
    mine["Labels"] = json::Object{{project_label, "shop"}};
    auto theirs = FakeDaemon::container("badc0de", "vault", "running");
    auto& daemon = server_.daemon();
    daemon.expect("GET", "/info").reply(200, R"({"Name":"vm"})").always();
    daemon.expect("GET", "/events*").stream(200, {}).stay_open();
    daemon.expect("GET", "/containers/json?all=1")
        .reply(200, json::serialize(json::Array{mine, theirs}))
        .always();
    inspectable(mine_, theirs_.substr(0, 12), json::Object{{project_label, "shop"}});
    inspectable(theirs_, "vault", {});
    server_.supervise_link();
    server_.loop().run(async::until([this] { return !server_.local_view().stale; }));
    carol_ = server_.add_user("carol", Role::operator_);
    as_carol_ = TestServer::bearer(server_.add_token(carol_, Role::operator_, {"containers"}));
    grant({{.host = "local", .project = "shop", .role = Role::operator_}});
  }

  void inspectable(const std::string& id, std::string name, json::Object labels) {
    json::Object container{{"Id", id},
                           {"Name", "/" + name},
                           {"Config", json::Object{{"Labels", std::move(labels)}, {"Tty", true}}},
                           {"State", json::Object{{"Status", "running"}, {"Running", true}}}};
    auto body = json::serialize(json::Value(container));
    for (const auto& reference : {id, id.substr(0, 13), name}) {
      server_.daemon()
          .expect("GET", fmt::format("/containers/{}/json", reference))
          .reply(200, body)
          .always();
    }
  }
  void grant(std::vector<access::Grant> grants) {
    value_or_throw(server_.loop().run(
        server_.access().set_grants(server_.owner(), carol_.user, std::move(grants))));
  }
  static std::vector<access::Grant> elsewhere() { return {{.group = "elsewhere"}}; }
  /// Reads until this has come, takes the grant away, and reads until the server ends the answer.
  void expect_end_with_the_grant(const std::string& path, std::string_view awaited) {
    auto headers = as_carol_;
    headers.set("Accept", "text/event-stream");
    auto client = server_.client();
    auto answer = server_.loop().run(client->stream(
        {"GET", "/api/v1/hosts/local/containers/" + mine_ + path, std::move(headers)}));
    auto next = [&] { return server_.loop().run(answer.read(Milliseconds{10'000})); };
    std::string told;
    while (!told.contains(awaited)) {
      auto piece = next();
      ASSERT_NE(piece, "") << told;
      told += piece;
    }
    grant(elsewhere());
    for (auto piece = next(); !piece.empty(); piece = next()) told += piece;
    EXPECT_THAT(told, HasSubstr("event: end\ndata: {\"reason\":\"not_allowed\"}"));
  }

  std::string mine_ = FakeDaemon::id("aaaa");
  std::string theirs_ = FakeDaemon::id("badc0de");
  TestServer server_;
  access::Identity carol_;
  net::http::Headers as_carol_;
};

TEST_F(AbuseSightTest, ANameThatIsAnothersIdMeansOnesOwn) {
  server_.daemon().expect("POST", fmt::format("/containers/{}/pause", mine_)).reply(204);
  auto path = "/api/v1/hosts/local/containers/";
  auto short_id = theirs_.substr(0, 12);
  EXPECT_EQ(
      server_.send("POST", fmt::format("{}{}/pause", path, short_id), {}, as_carol_).head.status,
      204U);
  for (const auto& reference : {theirs_, theirs_.substr(0, 13), std::string{"vault"}}) {
    EXPECT_EQ(
        refusal_of(server_.send("POST", fmt::format("{}{}/pause", path, reference), {}, as_carol_)),
        "404 no_such_container")
        << reference;
  }
  EXPECT_THAT(server_.daemon().requests(), Not(Contains(HasSubstr(theirs_ + "/pause"))));
}

TEST_F(AbuseSightTest, WhoSeesAProjectIsToldThatTheRestOfTheHostIsNotTheirs) {
  for (const auto* path : {"/images", "/volumes", "/disk-usage", "/doctor"}) {
    auto answer = server_.send("GET", fmt::format("/api/v1/hosts/local{}", path), {}, as_carol_);
    EXPECT_EQ(refusal_of(answer), "404 no_such_host") << path;
    EXPECT_THAT(answer.body, HasSubstr("you see only projects on it")) << path;
  }
  grant(elsewhere());
  auto hidden = server_.send("GET", "/api/v1/hosts/local/images", {}, as_carol_);
  auto absent = server_.send("GET", "/api/v1/hosts/nowhere/images", {}, as_carol_);
  EXPECT_THAT(hidden.body, HasSubstr("cannot find host 'local'\""));
  EXPECT_THAT(absent.body, HasSubstr("cannot find host 'nowhere'\""));
}

TEST_F(AbuseSightTest, ANameThatIsTakenDoesNotTellByWhat) {
  auto taken = fmt::format(R"({{"message":"Conflict. The container name \"/vault\" is already in )"
                           R"(use by container \"{}\". You have to remove (or rename) it."}})",
                           theirs_);
  server_.daemon()
      .expect("POST", fmt::format("/containers/{}/rename?name=vault", mine_))
      .reply(409, taken);
  auto answer = server_.send("POST", fmt::format("/api/v1/hosts/local/containers/{}/rename", mine_),
                             R"({"name":"vault"})", as_carol_);
  EXPECT_EQ(refusal_of(answer), "409 engine_conflict");
  EXPECT_THAT(answer.body, HasSubstr("already in use by another container"));
  EXPECT_THAT(answer.body, Not(HasSubstr("badc0de")));
}

TEST_F(AbuseSightTest, OfManyOnlyOnesOwnAreActedOn) {
  server_.daemon().expect("POST", fmt::format("/containers/{}/pause", mine_)).reply(204);
  auto body =
      fmt::format(R"({{"action":"pause","containers":[{{"host":"local","id":"{}"}},)"
                  R"({{"host":"local","id":"{}"}},)"
                  R"({{"host":"local","id":"vault"}},{{"host":"elsewhere","id":"vault"}}]}})",
                  mine_, theirs_);
  auto answer = server_.send("POST", "/api/v1/containers/actions", body, as_carol_);
  ASSERT_EQ(answer.head.status, 200U) << answer.body;
  auto results = object_of(answer).at("results").as_array();
  ASSERT_EQ(results.size(), 4U);
  EXPECT_THAT(json::serialize(results[0]), HasSubstr(R"("ok":true)"));
  for (auto i : {1U, 2U}) {
    EXPECT_THAT(json::serialize(results[i]), HasSubstr(R"("code":"no_such_container")"));
  }
  EXPECT_THAT(json::serialize(results[3]), HasSubstr(R"("code":"no_such_host")"));
  EXPECT_THAT(server_.daemon().requests(), Not(Contains(HasSubstr(theirs_ + "/pause"))));
}

TEST_F(AbuseSightTest, ALogThatIsFollowedEndsWithTheRightToSeeIt) {
  server_.daemon()
      .expect("GET", fmt::format("/containers/{}/logs?follow=1*", mine_))
      .stream(200, {})
      .stay_open();
  server_.daemon()
      .expect("GET", fmt::format("/containers/{}/logs?stdout=1*", mine_))
      .stream(200, {"2026-11-22T09:00:00.000000001Z one\r\n"});
  expect_end_with_the_grant("/logs?follow=true", "one");
}

TEST_F(AbuseSightTest, APastThatIsStillReadEndsWithTheRightToSeeIt) {
  auto& log = server_.daemon()
                  .expect("GET", fmt::format("/containers/{}/logs*", mine_))
                  .stream(200, {"one"})
                  .stay_open();
  auto client = server_.client();
  auto answer = server_.loop().run(client->stream(
      {"GET", fmt::format("/api/v1/hosts/local/containers/{}/logs", mine_), as_carol_}));
  EXPECT_EQ(server_.loop().run(answer.read(Milliseconds{5'000})), "one");
  grant(elsewhere());
  log.push("two");
  auto more = server_.loop().run(async::attempt(answer.read(Milliseconds{5'000})));
  EXPECT_FALSE(more) << *more;
}

TEST_F(AbuseSightTest, StatisticsEndWithTheRightToSeeThem) {
  server_.daemon()
      .expect("GET", fmt::format("/containers/{}/stats*", mine_))
      .stream(200, {R"({"read":"now","precpu_stats":{"cpu_usage":{"total_usage":1},)"
                    R"("system_cpu_usage":10},"cpu_stats":{"cpu_usage":{"total_usage":2},)"
                    R"("system_cpu_usage":20,"online_cpus":2},"pids_stats":{"current":3}})"
                    "\n"})
      .stay_open();
  expect_end_with_the_grant("/stats", "event: stats");
}

TEST_F(AbuseSightTest, EventsAreNotToldAnyMoreOnceTheirGrantIsGone) {
  auto& log = server_.fleet().events();
  auto local = server_.fleet().local()->config().id;
  auto happen = [&](std::string action, std::string project) {
    log.note(local, "local",
             {.type = "container",
              .action = std::move(action),
              .actor_id = mine_,
              .attributes = {{std::string{project_label}, std::move(project)}},
              .time = WallTime{Milliseconds{1'790'000'000'000}}});
  };
  auto next = [&](net::http::StreamedResponse& events) {
    return server_.loop().run(events.read(Milliseconds{5'000}));
  };
  auto client = server_.client();
  auto events = server_.loop().run(client->stream({"GET", "/api/v1/events", as_carol_}));
  next(events);  // where they are
  happen("start", "shop");
  EXPECT_THAT(next(events), HasSubstr("start"));
  grant({{.host = "local", .project = "blog"}});
  happen("die", "shop");
  happen("destroy", "blog");
  auto told = next(events);
  EXPECT_THAT(told, HasSubstr("destroy"));
  EXPECT_THAT(told, Not(HasSubstr("shop")));
}

TEST_F(AbuseSightTest, AHostThatIsNotSeenAnyMoreGoesFromTheLiveChannel) {
  auto token = server_.add_token(carol_, Role::operator_, {"containers"});
  auto socket = server_.loop().run(server_.open_live(token));
  server_.loop().run(socket.send(net::WebSocket::Kind::text, R"({"subscribe":"containers"})"));
  auto hear = [&] {
    auto message = server_.loop().run(
        async::attempt(async::with_deadline(Milliseconds{10'000}, "hearing", socket.receive())));
    return message && *message ? (*message)->data : std::string{"nothing"};
  };
  auto first = hear();
  EXPECT_THAT(first, HasSubstr(mine_));
  EXPECT_THAT(first, Not(HasSubstr("vault")));
  grant(elsewhere());
  EXPECT_THAT(hear(), HasSubstr(R"({"host":"local","type":"host_gone")"));
}

}  // namespace
}  // namespace gantry::api
