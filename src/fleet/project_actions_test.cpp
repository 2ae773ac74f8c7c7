#include "fleet/project_actions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

WallTime at(std::int64_t seconds) { return WallTime{Seconds{seconds}}; }

TEST(FleetProjectActions, ALabelTellsWhatIsWaitedFor) {
  using Until = Need::Until;
  EXPECT_THAT(needs_in("db:service_healthy:true, init:service_completed_successfully:false,"
                       "cache:service_started,odd,,:x"),
              ElementsAre(Need{"db", Until::healthy}, Need{"init", Until::completed},
                          Need{"cache", Until::started}, Need{"odd", Until::started}));
}

TEST(FleetProjectActions, ServicesOfALevelStartAtOnce) {
  std::vector<MemberService> services(4);
  services[2].level = 1;
  services[3].level = 2;
  EXPECT_THAT(waves_of(services), ElementsAre(ElementsAre(0, 1), ElementsAre(2), ElementsAre(3)));
}

TEST(FleetProjectActions, WhatOthersWaitForToCompleteIsAOneShot) {
  EXPECT_TRUE(is_one_shot({.exit_code = 0, .awaited = true, .rest_finished_at = at(0)}));
  EXPECT_FALSE(is_one_shot({.exit_code = 1, .awaited = true, .rest_finished_at = at(0)}));
}

TEST(FleetProjectActions, WhatEndedWithZeroWhileTheRestGoesOnIsAOneShot) {
  EXPECT_TRUE(is_one_shot({.exit_code = 0, .finished_at = at(100)}));
  EXPECT_TRUE(is_one_shot({.exit_code = 0, .finished_at = at(100), .rest_finished_at = at(500)}));
}

TEST(FleetProjectActions, WhatEndedTogetherWithTheRestWasStopped) {
  EXPECT_FALSE(is_one_shot({.exit_code = 0, .finished_at = at(100), .rest_finished_at = at(110)}));
  EXPECT_FALSE(is_one_shot({.exit_code = 0, .finished_at = at(100), .rest_finished_at = at(50)}));
}

TEST(FleetProjectActions, WhatIsAlwaysRestartedIsNoOneShot) {
  EXPECT_FALSE(is_one_shot({.exit_code = 0, .restart_policy = "always", .awaited = true}));
  EXPECT_FALSE(is_one_shot({.exit_code = 0, .restart_policy = "unless-stopped"}));
  EXPECT_TRUE(is_one_shot({.exit_code = 0, .restart_policy = "on-failure"}));
}

TEST(FleetProjectActions, AProjectIsReadApartFromTheView) {
  Container web;
  web.id = "w";
  web.name = "shop-web-1";
  web.state = "exited";
  web.status = "Exited (3) 2 hours ago";
  web.project = "shop";
  web.service = "web";
  web.labels = Labels{{"com.docker.compose.depends_on", "db:service_healthy:true"}};
  std::vector containers{web};
  auto projects = projects_of(containers, [](const Container&) { return true; });
  ASSERT_THAT(projects, SizeIs(1));
  auto services = members_of(projects[0]);
  ASSERT_THAT(services, SizeIs(1));
  ASSERT_THAT(services[0].members, SizeIs(1));
  EXPECT_EQ(services[0].members[0].exit_code, 3);
  EXPECT_THAT(services[0].needs, ElementsAre(Need{"db", Need::Until::healthy}));
}

}  // namespace
}  // namespace gantry::fleet
