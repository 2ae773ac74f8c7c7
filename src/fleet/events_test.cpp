#include "fleet/events.hpp"

#include "async/testing_fake.hpp"
#include "fleet/view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class EventLogTest : public testing::Test {
 protected:
  static engine::Event event(std::string action) {
    return {.type = "container",
            .action = std::move(action),
            .actor_id = "abc",
            .attributes = {{"name", "web"},
                           {"com.docker.compose.project", "shop"},
                           {"password", "hunter2"},
                           {"exitCode", "137"}},
            .time = WallTime{Milliseconds{1'000}}};
  }
  std::vector<std::string> actions(std::uint64_t number, std::size_t max = 100) const {
    std::vector<std::string> all;
    for (const auto* one : log_.after(number, max).events) all.push_back(one->action);
    return all;
  }

  async::TestLoop loop_;
  EventLog log_{loop_.executor(), Clock{}};
  HostId a_{"a"};
  HostId b_{"b"};
};

TEST_F(EventLogTest, ReadersGoOnBehindTheNumberTheyHave) {
  log_.note(a_, "alpha", event("create"));
  auto seen = log_.last();
  log_.note(b_, "beta", event("start"));
  log_.note(a_, "alpha", event("die"));
  EXPECT_THAT(actions(seen), ElementsAre("start", "die"));
  EXPECT_THAT(actions(0, 2), ElementsAre("create", "start"));
  EXPECT_THAT(actions(log_.last()), IsEmpty());
}

TEST_F(EventLogTest, OnlyWellKnownAttributesAreTold) {
  log_.note(a_, "alpha", event("die"));
  auto page = log_.after(0, 1);
  const auto& told = *page.events.front();
  EXPECT_THAT(told.attributes,
              ElementsAre(testing::Pair("exit_code", "137"), testing::Pair("name", "web")));
  EXPECT_EQ(told.project, "shop");
}

TEST_F(EventLogTest, WhatSomebodyTypedIsNotTold) {
  log_.note(a_, "alpha", event("exec_create: mysql -phunter2"));
  log_.note(a_, "alpha", event("health_status: unhealthy"));
  auto page = log_.after(0, 10);
  ASSERT_THAT(page.events, SizeIs(1));
  EXPECT_EQ(page.events.front()->action, "health_status");
  EXPECT_EQ(page.events.front()->attributes.at("health"), "unhealthy");
}

TEST_F(EventLogTest, WhatOnlyRepeatsThatAContainerBeginsIsNotTold) {
  auto mount = event("mount");
  mount.type = "volume";
  auto connect = event("connect");
  connect.type = "network";
  connect.attributes["type"] = "null";
  log_.note(a_, "alpha", mount);
  log_.note(a_, "alpha", connect);
  connect.attributes["type"] = "bridge";
  log_.note(a_, "alpha", connect);
  EXPECT_THAT(actions(0), ElementsAre("connect"));
}

TEST_F(EventLogTest, ALongNameOfAProjectIsCutAsThatOfItsContainersIs) {
  auto started = event("start");
  started.attributes["com.docker.compose.project"] = std::string(1U << 20U, 'p');
  log_.note(a_, "alpha", started);
  engine::ContainerSummary summary;
  summary.labels = started.attributes;
  auto page = log_.after(0, 1);
  EXPECT_LE(page.events.front()->project.size(), 520U);
  EXPECT_EQ(page.events.front()->project, container_of(summary).project);
}

TEST_F(EventLogTest, ANoisyHostPushesNobodyElseOut) {
  log_.note(b_, "beta", event("start"));
  for (int i = 0; i < 30'000; ++i) log_.note(a_, "alpha", event("restart"));
  auto page = log_.after(0, 100'000);
  EXPECT_THAT(page.events, SizeIs(EventLog::host_events_max + 1));
  EXPECT_EQ(page.events.front()->host, b_);
  EXPECT_THAT(page.gaps, ElementsAre(a_));
  EXPECT_THAT(log_.after(page.events.back()->number, 1).gaps, IsEmpty());
}

TEST_F(EventLogTest, ACursorIsGoodInItsOwnRunOnly) {
  log_.note(a_, "alpha", event("start"));
  EventLog another{loop_.executor(), Clock{}};
  EXPECT_EQ(log_.parse_cursor(log_.cursor(1)), 1U);
  EXPECT_EQ(another.parse_cursor(log_.cursor(0)), std::nullopt);
  EXPECT_EQ(log_.parse_cursor(log_.cursor(2)), std::nullopt);
  EXPECT_EQ(log_.parse_cursor("nonsense"), std::nullopt);
}

}  // namespace
}  // namespace gantry::fleet
