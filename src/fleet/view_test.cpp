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
  EXPECT_EQ(container.labels["com.example.api-key"], "********");
  EXPECT_EQ(container.labels["DB_PASSWORD"], "********");
  EXPECT_EQ(container.labels["tier"], "front");
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
  EXPECT_LT(container.labels["big"].size(), 5000U);
}

}  // namespace
}  // namespace gantry::fleet
