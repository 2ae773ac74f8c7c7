#include "api/testing_fake.hpp"
#include "async/deadline.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

// Compose projects of a host.
namespace gantry::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string base = "/api/v1/hosts/local/projects/shop";

class HostProjectsTest : public testing::Test {
 protected:
  static json::Object container(std::string_view begin, std::string_view service,
                                std::string_view state, std::string_view status,
                                std::string_view needs = {}) {
    auto made = engine::FakeDaemon::container(begin, fmt::format("shop-{}-1", service), state);
    made["Status"] = status;
    made["Labels"] = json::Object{{"com.docker.compose.project", "shop"},
                                  {"com.docker.compose.service", service},
                                  {"com.docker.compose.container-number", "1"},
                                  {"com.docker.compose.depends_on", needs}};
    return made;
  }
  /// web waits for db and for init, which has done its work.
  void show(std::string_view state, std::string_view status) {
    json::Array list{container("a1", "web", state, status,
                               "db:service_started:true,init:service_completed_successfully:true"),
                     container("b1", "db", state, status),
                     container("c1", "init", "exited", "Exited (0) 2 hours ago")};
    show(std::move(list));
  }
  void show(json::Array list) {
    server_.daemon().expect("GET", "/info").reply(200, "{}").always();
    server_.daemon().expect("GET", "/events").stream(200, {}).stay_open().always();
    server_.daemon()
        .expect("GET", "/containers/json")
        .reply(200, json::serialize(json::Value(std::move(list))))
        .always();
    server_.daemon().expect("GET", "/images/json").reply(200, "[]").always();
    server_.daemon().expect("GET", "/volumes").reply(200, "{}").always();
    server_.daemon().expect("GET", "/networks").reply(200, "[]").always();
    server_.supervise_link();
    for (int i = 0; i < 500 && server_.local_view().stale; ++i) {
      server_.loop().run(async::pause(Milliseconds{10}));
    }
    ASSERT_FALSE(server_.local_view().stale);
  }
  void inspects_as(std::string_view begin, std::string_view state) {
    server_.daemon()
        .expect("GET", fmt::format("/containers/{}/json", engine::FakeDaemon::id(begin)))
        .reply(200, fmt::format(R"({{"Id":"{}","Name":"/x","State":{}}})",
                                engine::FakeDaemon::id(begin), state))
        .always();
  }
  void logs_are(std::string_view begin, std::string text) {
    inspects_as(begin, R"({"Status":"running"})");
    std::string frame{"\x01\x00\x00\x00\x00\x00\x00", 7};
    frame += static_cast<char>(text.size());
    server_.daemon()
        .expect("GET", fmt::format("/containers/{}/logs", engine::FakeDaemon::id(begin)))
        .stream(200, {frame + text});
  }
  void action(std::string_view begin, std::string_view what) {
    server_.daemon()
        .expect("POST", fmt::format("/containers/{}/{}", engine::FakeDaemon::id(begin), what))
        .reply(204);
  }
  std::vector<std::string> changes() {
    std::vector<std::string> out;
    for (const auto& request : server_.daemon().requests()) {
      if (!request.starts_with("POST")) continue;
      auto path = request.substr(request.find("/containers/") + 12);
      out.push_back(path.substr(0, 2) + path.substr(64, path.find('?') - 64));
    }
    return out;
  }

  TestServer server_;
};

TEST_F(HostProjectsTest, AProjectIsToldWithItsServicesInTheOrderOfTheirStart) {
  show("running", "Up 2 hours");
  auto answer = server_.ask("GET", base);
  ASSERT_EQ(answer.head.status, 200U);
  auto project = object_of(answer);
  EXPECT_EQ(project["state"], "running");
  auto services = project["services"].as_array();
  ASSERT_EQ(services.size(), 3U);
  EXPECT_EQ(services[2].as_object()["name"], "web");
  EXPECT_THAT(answer.body, HasSubstr(R"("depends_on":[{"service":"db","condition":"started"},)"
                                     R"({"service":"init","condition":"completed"}])"));
  EXPECT_THAT(answer.body, HasSubstr(R"("exit_code":0)"));
}

TEST_F(HostProjectsTest, AProjectThatIsNotThereIsNotFound) {
  show("running", "Up 2 hours");
  EXPECT_EQ(refusal_of(server_.ask("GET", "/api/v1/hosts/local/projects/other")),
            "404 no_such_project");
  EXPECT_EQ(refusal_of(server_.ask("GET", "/api/v1/hosts/local/projects/other/logs")),
            "404 no_such_project");
}

TEST_F(HostProjectsTest, AStartGoesByWhatDependsOnWhatAndLeavesOneShotsEnded) {
  show("exited", "Exited (137) 1 hours ago");
  for (auto begin : {"a1", "b1"}) {
    inspects_as(begin, R"({"Status":"exited","ExitCode":137,"FinishedAt":"2026-11-22T10:00:00Z"})");
  }
  inspects_as("c1", R"({"Status":"exited","ExitCode":0,"FinishedAt":"2026-11-22T08:00:00Z"})");
  action("b1", "start");
  action("a1", "start");
  auto answer = server_.ask("POST", base + "/start");
  ASSERT_EQ(answer.head.status, 200U) << answer.body;
  EXPECT_EQ(object_of(answer)["ok"], true);
  EXPECT_THAT(changes(), ElementsAre("b1/start", "a1/start"));
  EXPECT_THAT(answer.body, HasSubstr(R"("name":"shop-init-1","did":"skipped")"));
}

TEST_F(HostProjectsTest, AStopGoesByWhatTheEngineSaysAndNotByWhatWasTold) {
  json::Array now{engine::FakeDaemon::container("a1", "shop-web-1", "running"),
                  engine::FakeDaemon::container("b1", "shop-db-1", "exited")};
  // Before what answers every such question.
  server_.daemon()
      .expect("GET", "/containers/json?all=1&filters=*")
      .reply(200, json::serialize(now));
  show("exited", "Exited (137) 1 hours ago");
  action("a1", "stop");
  auto answer = server_.ask("POST", base + "/stop");
  ASSERT_EQ(answer.head.status, 200U) << answer.body;
  EXPECT_THAT(changes(), ElementsAre("a1/stop"));
}

TEST_F(HostProjectsTest, AStopGoesTheOtherWayAndLeavesWhatHasEnded) {
  show("running", "Up 2 hours");
  action("a1", "stop");
  action("b1", "stop");
  auto answer = server_.ask("POST", base + "/stop", R"({"grace_seconds":3})");
  ASSERT_EQ(answer.head.status, 200U) << answer.body;
  EXPECT_THAT(changes(), ElementsAre("a1/stop", "b1/stop"));
  EXPECT_THAT(answer.body, HasSubstr(R"("name":"shop-init-1","did":"nothing")"));
}

TEST_F(HostProjectsTest, WhatDependsOnAFailureIsNotStarted) {
  show("exited", "Exited (137) 1 hours ago");
  for (auto begin : {"a1", "b1", "c1"}) {
    inspects_as(begin, R"({"Status":"exited","ExitCode":137,"FinishedAt":"2026-11-22T10:00:00Z"})");
  }
  server_.daemon()
      .expect("POST", fmt::format("/containers/{}/start", engine::FakeDaemon::id("b1")))
      .reply(500, R"({"message":"port is already allocated"})");
  auto answer = server_.ask("POST", base + "/start");
  ASSERT_EQ(answer.head.status, 200U) << answer.body;
  EXPECT_EQ(object_of(answer)["ok"], false);
  EXPECT_THAT(answer.body, HasSubstr("port is already allocated"));
  EXPECT_THAT(answer.body, HasSubstr(R"("code":"dependency_failed")"));
}

TEST_F(HostProjectsTest, ItsLogsAreOneInTheOrderOfTime) {
  show("running", "Up 2 hours");
  logs_are("a1", "2026-11-22T10:00:02.000000000Z two\n");
  logs_are("b1", "2026-11-22T10:00:01.000000000Z one\n");
  logs_are("c1", "2026-11-22T10:00:03.000000000Z three\n");
  auto answer = server_.ask("GET", base + "/logs");
  EXPECT_EQ(answer.head.headers.get("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answer.body, "db-1   | one\nweb-1  | two\ninit-1 | three\n");
}

TEST_F(HostProjectsTest, ItsLogsTellTheLastLinesOfAllTogetherAsEvents) {
  show("running", "Up 2 hours");
  logs_are("a1", "2026-11-22T10:00:02.000000000Z two\n");
  logs_are("b1", "2026-11-22T10:00:01.000000000Z one\n");
  logs_are("c1", "2026-11-22T10:00:03.000000000Z three\n");
  auto headers = server_.local();
  headers.set("Accept", "text/event-stream");
  auto told = server_.send("GET", base + "/logs?tail=1", {}, headers).body;
  EXPECT_EQ(told, fmt::format("event: stdout\ndata: {{\"service\":\"init\",\"container\":"
                              "{{\"id\":\"{}\",\"name\":\"shop-init-1\"}},\"time\":"
                              "\"2026-11-22T10:00:03.000000000Z\",\"text\":\"three\\n\"}}\n\n"
                              "event: end\ndata: {{\"reason\":\"ended\"}}\n\n",
                              engine::FakeDaemon::id("c1")));
}

TEST_F(HostProjectsTest, WhatIsWrongWithAQuestionIsSaid) {
  show("running", "Up 2 hours");
  EXPECT_THAT(server_.ask("GET", base + "/logs?since=soon").body, HasSubstr("field 'since'"));
  EXPECT_THAT(server_.ask("GET", base + "/logs?service=none").body, HasSubstr("field 'service'"));
  EXPECT_THAT(server_.ask("GET", base + "/logs?follow=true&until=1m").body,
              HasSubstr("field 'until'"));
  EXPECT_THAT(server_.ask("POST", base + "/stop", R"({"grace_seconds":-1})").body,
              HasSubstr("grace_seconds"));
}

TEST_F(HostProjectsTest, LogsOfTooManyContainersAreNotOpenedAtOnce) {
  json::Array list;
  for (int i = 0; i < 257; ++i) {
    list.push_back(container(fmt::format("{:04x}", i), i < 2 ? "db" : "web", "running", "Up"));
  }
  show(std::move(list));
  auto answer = server_.ask("GET", base + "/logs");
  EXPECT_EQ(refusal_of(answer), "409 too_many_logs");
  EXPECT_THAT(answer.body, HasSubstr("257 containers"));
  EXPECT_THAT(server_.daemon().requests(), ::testing::Not(::testing::Contains(HasSubstr("/logs"))));
  logs_are("0000", "2026-11-22T09:00:00.1Z one\n");
  logs_are("0001", "2026-11-22T09:00:00.2Z two\n");
  EXPECT_THAT(server_.ask("GET", base + "/logs?service=db").body, HasSubstr("| two"));
}

}  // namespace
}  // namespace gantry::api
