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

TEST(ContainerOf, BoundsNamesPortsAndAllLabelsTogether) {
  auto from = summary();
  from.names = {std::string(1U << 20U, 'n')};
  from.ports.resize(50'000, {.container_port = 80, .host_ip = std::string(1'000, '1')});
  for (int i = 0; i < 200; ++i) from.labels["n" + std::to_string(i)] = std::string(4'000, 'v');
  auto container = container_of(from);
  EXPECT_LE(container.name.size(), 260U);
  EXPECT_LE(container.searched.size(), 1'000U);
  EXPECT_EQ(container.ports.size(), 1'024U);
  EXPECT_LE(container.ports.front().host_ip.size(), 70U);
  EXPECT_LE(container.labels.size(), 8U);
}

TEST(ContainerOf, ANameIsOneLine) {
  auto from = summary();
  from.names = {"web\r\nX-Evil: 1\x1b[2J"};
  auto name = container_of(from).name;
  EXPECT_EQ(name.find_first_of("\r\n\x1b"), std::string::npos) << name;
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
