#include "fleet/view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

engine::ContainerSummary summary() {
  engine::ContainerSummary out;
  out.id = std::string(64, 'a');
  out.names = {"web"};
  return out;
}

TEST(ContainerOf, MasksWhatIsCalledASecret) {
  auto from = summary();
  from.labels = {{"com.example.api-key", "k3y"}, {"DB_PASSWORD", "hunter2"}, {"tier", "front"}};
  auto container = container_of(from);
  EXPECT_EQ(container.labels.find("com.example.api-key"), "********");
  EXPECT_EQ(container.labels.find("DB_PASSWORD"), "********");
  EXPECT_EQ(container.labels.find("tier"), "front");
}

TEST(ContainerOf, ReadsTheComposeLabels) {
  auto from = summary();
  EXPECT_FALSE(container_of(from).project);
  from.labels = {{"com.docker.compose.project", "shop"}, {"com.docker.compose.service", "db"}};
  EXPECT_EQ(container_of(from).project, "shop");
  EXPECT_EQ(container_of(from).service, "db");
}

TEST(ContainerOf, TakesTheNameThatIsItsOwn) {
  auto from = summary();
  from.names = {"other/alias", "web"};
  EXPECT_EQ(container_of(from).name, "web");
}

TEST(ContainerOf, BoundsWhatAnybodyCanWrite) {
  auto from = summary();
  from.labels["big"] = std::string(1U << 20U, 'x');
  for (int i = 0; i < 1000; ++i) from.labels["n" + std::to_string(i)] = "v";
  auto container = container_of(from);
  EXPECT_LE(container.labels.size(), 256U);
  EXPECT_LT(container.labels.find("big")->size(), 5000U);
}

TEST(ContainerOf, ReadsTheHealthOutOfTheStatus) {
  EXPECT_EQ(health_in("Up 2 hours (healthy)"), Health::healthy);
  EXPECT_EQ(health_in("Up 2 hours (unhealthy)"), Health::unhealthy);
  EXPECT_EQ(health_in("Up 1 second (health: starting)"), Health::starting);
  EXPECT_EQ(health_in("Exited (0) 3 days ago"), Health::none);
  EXPECT_EQ(parse_health("unhealthy"), Health::unhealthy);
  EXPECT_FALSE(parse_health("fine"));
}

TEST(LabelsTest, AreFoundWalkedAndCompared) {
  Labels labels{{"b", "2"}, {"a", std::string{"x\0y", 3}}, {"empty", ""}};
  EXPECT_EQ(labels.size(), 3U);
  EXPECT_EQ(labels.find("a"), (std::string_view{"x\0y", 3}));
  EXPECT_EQ(labels.find("empty"), "");
  EXPECT_FALSE(labels.find("2"));
  EXPECT_EQ((*labels.begin()).first, "a");
  EXPECT_EQ(labels, (Labels{{"a", std::string{"x\0y", 3}}, {"empty", ""}, {"b", "2"}}));
  EXPECT_TRUE(Labels{}.empty());
}

}  // namespace
}  // namespace gantry::fleet
