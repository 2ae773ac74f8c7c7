#include "api/containers.hpp"

#include "api/testing_fake.hpp"
#include "sandbox/labels.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ContainersJsonTest, AContainerIsToldInTheWordsOfTheContract) {
  fleet::Container container{.id = "aa",
                             .name = "shop-web-1",
                             .image = "nginx:1.27",
                             .state = "running",
                             .status = "Up 2 hours (healthy)",
                             .health = fleet::Health::healthy,
                             .ports = {{80, 8080, "127.0.0.1", "tcp"}, {53, {}, "", "udp"}},
                             .labels = {{"a", "b"}},
                             .project = "shop",
                             .service = "web"};
  EXPECT_EQ(
      json::serialize(container_json("edge", container)),
      R"({"host":"edge","id":"aa","name":"shop-web-1","image":"nginx:1.27","state":"running",)"
      R"x("status":"Up 2 hours (healthy)","health":"healthy",)x"
      R"("created_at":"1970-01-01T00:00:00.000Z",)"
      R"("ports":[{"private":80,"protocol":"tcp","public":8080,"ip":"127.0.0.1"},)"
      R"({"private":53,"protocol":"udp"}],"labels":{"a":"b"},"project":"shop","service":"web"})");
}

/// Why a query is refused.
std::string refusal_in(std::vector<std::pair<std::string, std::string>> items) {
  Query query{std::move(items)};
  auto read = read_container_query(query);
  return read ? "nothing is wrong" : read.error().message;
}

TEST(ContainerQueryTest, EveryPartIsRead) {
  Query query{{{"host", "a"},
               {"group", "g"},
               {"project", "p"},
               {"state", "running,exited"},
               {"health", "healthy"},
               {"label", "x"},
               {"label", "y=1=2"},
               {"q", "web  db"},
               {"sort", "created"},
               {"order", "desc"},
               {"limit", "7"},
               {"cursor", "c"}}};
  auto read = value_or_throw(read_container_query(query));
  EXPECT_EQ(read.host + read.group + read.project + read.cursor, "agpc");
  EXPECT_THAT(read.states, testing::ElementsAre("running", "exited"));
  EXPECT_THAT(read.words, testing::ElementsAre("web", "db"));
  ASSERT_EQ(read.labels.size(), 2U);
  EXPECT_FALSE(read.labels[0].value);
  EXPECT_EQ(read.labels[1].value, "1=2");
  EXPECT_EQ(read.sort, fleet::SortBy::created);
  EXPECT_EQ(read.order, fleet::Order::descending);
  EXPECT_EQ(read.limit, 7U);
}

TEST(ContainerQueryTest, WhatIsWrongIsRefusedByItsName) {
  for (auto [name, value] : std::vector<std::pair<std::string, std::string>>{{"state", "up"},
                                                                             {"health", "fine"},
                                                                             {"label", "=x"},
                                                                             {"sort", "size"},
                                                                             {"order", "up"},
                                                                             {"limit", "0"},
                                                                             {"limit", "1001"},
                                                                             {"unknown", "x"}}) {
    EXPECT_THAT(refusal_in({{name, value}}), HasSubstr("'" + name + "'"));
  }
}

class ContainersTest : public testing::Test {
 protected:
  TestServer server_;
};

TEST_F(ContainersTest, OurOwnSandboxesAreLeftOutAndNobodyElseCanHide) {
  auto labelled = [](std::string id, std::string name) {
    auto container = engine::FakeDaemon::container(id, name, "running");
    container["Labels"] = json::Object{{sandbox::labels::kind, "sandbox"}};
    return container;
  };
  server_.follow({engine::FakeDaemon::container("aa", "web", "running"),
                  labelled("bb", "gantry-sandbox-40001"), labelled("cc", "hidden-by-its-image"),
                  engine::FakeDaemon::container("dd", "gantry-sandbox-40002", "running")});
  auto listed = server_.ask("GET", "/api/v1/containers").body;
  EXPECT_THAT(listed, HasSubstr(R"("name":"web")"));
  EXPECT_THAT(listed, Not(HasSubstr("gantry-sandbox-40001")));
  EXPECT_THAT(listed, HasSubstr("hidden-by-its-image"));
  EXPECT_THAT(listed, HasSubstr("gantry-sandbox-40002"));
}

TEST_F(ContainersTest, NoProgramGetsMoreProcessorsThanTheEngineHas) {
  server_.follow({});
  EXPECT_THAT(server_.ask("GET", "/api/v1/system").body,
              HasSubstr(R"("cpus":{"min":0.1,"max":2,"default":1})"));
  auto cpus = [&](double number) {
    return server_.ask(
        "POST", "/api/v1/executions",
        fmt::format(R"({{"language":"sh","source":"","limits":{{"cpus":{}}}}})", number));
  };
  auto refused = cpus(2.5);
  EXPECT_EQ(refusal_of(refused), "400 invalid_field");
  EXPECT_THAT(refused.body, HasSubstr("'limits.cpus' must be between 0.1 and 2, not 2.5"));
  EXPECT_EQ(cpus(2).head.status, 202U);
}

TEST_F(ContainersTest, TheEngineIsToldOnceItAnswers) {
  server_.follow({});
  auto system = server_.ask("GET", "/api/v1/system").body;
  EXPECT_THAT(system, HasSubstr(R"("engine":{"state":"connected",)"));
  EXPECT_THAT(system, HasSubstr(R"("version":"20.10.24","api_version":"1.41")"));
  EXPECT_EQ(object_of(server_.send("GET", "/health"))["pool_active"], true);
}

TEST_F(ContainersTest, AnEngineThatIsAwayIsExplained) {
  server_.daemon().server().refuse_connections(
      {ErrorKind::unavailable, "socket_missing", "no such socket", {}});
  server_.supervise_link();
  server_.loop().run(async::until(
      [this] { return server_.local_view().state == fleet::EngineState::unreachable; }));
  auto system = server_.ask("GET", "/api/v1/system").body;
  EXPECT_THAT(system, HasSubstr(R"("state":"unreachable")"));
  EXPECT_THAT(system, HasSubstr(R"("error":{"code":"engine_socket_missing")"));
  EXPECT_THAT(server_.ask("GET", "/api/v1/containers").body, HasSubstr(R"("stale":true)"));
}

}  // namespace
}  // namespace gantry::api
