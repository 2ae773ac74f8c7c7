#include "fleet/projects.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Container container(std::string service, std::string state, std::string status = "Up 2 hours") {
  Container out;
  out.name = "shop-" + service + "-1";
  out.state = std::move(state);
  out.status = std::move(status);
  out.project = "shop";
  out.service = std::move(service);
  return out;
}

bool everything(const Container&) { return true; }

ProjectState state_of(const std::vector<Container>& containers) {
  return projects_of(containers, &everything).at(0).state;
}

std::vector<std::string> names(const std::vector<Service>& services) {
  std::vector<std::string> out;
  for (const auto& service : services) out.push_back(service.name);
  return out;
}

Service service(std::string name, std::string depends_on = {}) {
  return {.name = std::move(name), .depends_on = read_depends_on(depends_on)};
}

TEST(ProjectsTest, ContainersAreGroupedByProjectAndService) {
  auto other = container("web", "running");
  other.project = "blog";
  Container alone;
  auto two = container("web", "running");
  two.name = "shop-web-2";
  std::vector containers{two, container("web", "running"), container("db", "running"), other,
                         alone};
  auto projects = projects_of(containers, &everything);
  ASSERT_EQ(projects.size(), 2U);
  EXPECT_EQ(projects[0].name, "blog");
  EXPECT_THAT(names(projects[1].services), ElementsAre("db", "web"));
  EXPECT_EQ(projects[1].services[1].containers.size(), 2U);
  EXPECT_EQ(projects[1].services[1].containers[0]->name, "shop-web-1");
}

TEST(ProjectsTest, WhatIsNotShownIsNotThere) {
  std::vector containers{container("web", "running")};
  EXPECT_THAT(projects_of(containers, [](const Container&) { return false; }), IsEmpty());
}

TEST(ProjectsTest, AOneShotServiceThatHasDoneItsWorkIsNoError) {
  EXPECT_EQ(state_of({container("web", "running"),
                      container("migrate", "exited", "Exited (0) 2 hours ago")}),
            ProjectState::running);
}

TEST(ProjectsTest, AServiceThatFailedMakesItPartial) {
  EXPECT_EQ(state_of({container("web", "running"),
                      container("migrate", "exited", "Exited (1) 2 hours ago")}),
            ProjectState::partial);
}

TEST(ProjectsTest, NothingThatRunsIsStoppedUnlessAllIsDone) {
  EXPECT_EQ(state_of({container("web", "exited", "Exited (137) 1 second ago"),
                      container("db", "exited", "Exited (0) 1 second ago")}),
            ProjectState::stopped);
  EXPECT_EQ(state_of({container("job", "exited", "Exited (0) 1 second ago")}),
            ProjectState::exited);
  EXPECT_EQ(state_of({container("web", "created", "Created")}), ProjectState::stopped);
}

TEST(ProjectsTest, AServiceOfWhichSomeRunIsPartial) {
  auto two = container("web", "exited", "Exited (1) 1 second ago");
  two.name = "shop-web-2";
  EXPECT_EQ(state_of({container("web", "running"), two}), ProjectState::partial);
}

TEST(ProjectsTest, ContainersOfComposeRunAreNoPartOfAService) {
  auto once = container("web", "exited", "Exited (1) 1 second ago");
  once.labels = {{"com.docker.compose.oneoff", "True"}};
  std::vector containers{container("web", "running"), once};
  auto projects = projects_of(containers, &everything);
  EXPECT_EQ(projects[0].state, ProjectState::running);
  EXPECT_EQ(projects[0].services[0].containers.size(), 1U);
}

TEST(ProjectsTest, TheExitCodeIsReadOutOfTheStatus) {
  EXPECT_EQ(exit_code_in("Exited (137) 2 hours ago"), 137);
  EXPECT_EQ(exit_code_in("Exited (0) 2 hours ago"), 0);
  EXPECT_FALSE(exit_code_in("Up 2 hours"));
  EXPECT_FALSE(exit_code_in("Exited (x) 2 hours ago"));
  EXPECT_FALSE(exit_code_in("Exited (1"));
}

TEST(DependencyTest, TheLabelOfComposeIsRead) {
  EXPECT_THAT(read_depends_on("db:service_healthy:false,cache"), ElementsAre("db", "cache"));
  EXPECT_THAT(read_depends_on(""), IsEmpty());
  EXPECT_THAT(read_depends_on(",,:x"), IsEmpty());
}

TEST(DependencyTest, WhatOthersNeedComesFirst) {
  std::vector services{service("a-web", "db,cache"), service("cache"), service("db", "volume"),
                       service("volume")};
  order_by_dependency(services);
  EXPECT_THAT(names(services), ElementsAre("cache", "volume", "db", "a-web"));
  EXPECT_EQ(services[0].level, 0U);
  EXPECT_EQ(services[2].level, 1U);
  EXPECT_EQ(services[3].level, 2U);
}

TEST(DependencyTest, ACircleEndsAndLosesNobody) {
  std::vector services{service("a", "b"), service("b", "a"), service("c", "nobody-there")};
  order_by_dependency(services);
  EXPECT_THAT(names(services), ElementsAre("c", "a", "b"));
}

}  // namespace
}  // namespace gantry::fleet
