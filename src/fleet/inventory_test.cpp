#include "fleet/inventory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr auto everybody = [](const engine::ContainerUse&) { return true; };
constexpr auto unused = PruneWish::Which::unused;

engine::ContainerUse container(std::string name, std::string image) {
  engine::ContainerUse use;
  use.id = "id-of-" + name;
  use.name = std::move(name);
  use.state = "running";
  use.image_id = std::move(image);
  return use;
}

engine::ImageSummary image(std::string id, std::string parent, std::vector<std::string> tags) {
  engine::ImageSummary made;
  made.id = std::move(id);
  made.parent = std::move(parent);
  made.tags = std::move(tags);
  made.size_bytes = 10;
  return made;
}

engine::Volume volume(std::string name) {
  engine::Volume made;
  made.name = std::move(name);
  return made;
}

engine::Network network(std::string name) {
  engine::Network made;
  made.id = "id-of-" + name;
  made.name = std::move(name);
  return made;
}

std::vector<std::string> ids(const std::vector<Prunable>& items) {
  std::vector<std::string> out;
  for (const auto& item : items) out.push_back(item.id);
  return out;
}

TEST(FleetInventory, ARefusalNamesWhoUsesIt) {
  auto web = container("web", "i");
  web.volumes = {"data"};
  auto db = container("db", "i");
  db.volumes = {"data"};
  db.state = "exited";
  std::vector uses{web, db, container("other", "i")};
  auto error = in_use("volume", "data", "local", users_of_volume(uses, "data", everybody));
  EXPECT_EQ(error.kind, ErrorKind::conflict);
  EXPECT_EQ(error.code, "volume_in_use");
  EXPECT_EQ(error.message,
            "cannot remove volume 'data' on 'local': containers 'web' (running), 'db' (exited) "
            "use it");
}

TEST(FleetInventory, WhoMayNotBeToldOfIsOnlyCounted) {
  std::vector uses{container("web", "i"), container("secret", "i"), container("secret", "i")};
  auto users =
      users_of_image(uses, "i", [](const engine::ContainerUse& use) { return use.name == "web"; });
  EXPECT_EQ(in_use("image", "x", "h", users).message,
            "cannot remove image 'x' on 'h': containers 'web' (running) and 2 others use it");
  users = users_of_image(uses, "i", [](const auto&) { return false; });
  EXPECT_EQ(in_use("image", "x", "h", users).message,
            "cannot remove image 'x' on 'h': 3 containers use it");
}

TEST(FleetInventory, ANetworkIsUsedByNameOrId) {
  auto by_name = container("web", "i");
  by_name.networks = {"inner"};
  auto by_id = container("db", "i");
  by_id.networks = {"id-of-inner"};
  std::vector uses{by_name, by_id};
  EXPECT_EQ(users_of_network(uses, network("inner"), everybody).named.size(), 2U);
  EXPECT_TRUE(users_of_network(uses, network("other"), everybody).nobody());
}

TEST(FleetInventory, OnlyImagesWithoutATagGoByDefault) {
  std::vector images{image("a", "", {"a:1"}), image("b", "", {}), image("c", "", {})};
  std::vector uses{container("web", "c")};
  EXPECT_THAT(ids(prunable_images(images, uses, {})), ElementsAre("b"));
}

TEST(FleetInventory, WhatIsBuiltOnAnImageGoesBeforeIt) {
  std::vector images{image("base", "", {}), image("middle", "base", {}),
                     image("top", "middle", {})};
  EXPECT_THAT(ids(prunable_images(images, {}, {})), ElementsAre("top", "middle", "base"));
}

TEST(FleetInventory, AnImageStaysWhenSomethingThatStaysIsBuiltOnIt) {
  std::vector images{image("base", "", {}), image("one", "base", {}),
                     image("two", "base", {"t:1"})};
  EXPECT_THAT(ids(prunable_images(images, {}, {})), ElementsAre("one"));
}

TEST(FleetInventory, UnusedImagesGoWithTheirTagsWhenAskedFor) {
  std::vector images{image("a", "", {"a:1", "a:2"}), image("b", "", {"b:1"})};
  std::vector uses{container("web", "b")};
  auto items = prunable_images(images, uses, {.which = unused});
  ASSERT_THAT(ids(items), ElementsAre("a"));
  EXPECT_THAT(items[0].names, ElementsAre("a:1", "a:2"));
}

TEST(FleetInventory, AgeAndLabelsNarrowAPrune) {
  auto old = image("old", "", {});
  old.labels = {{"stage", "build"}};
  auto young = old;
  young.id = "young";
  young.created = WallTime{Seconds{1'000}};
  auto other = image("other", "", {});
  std::vector images{old, young, other};
  PruneWish wish{.made_before = WallTime{Seconds{500}}, .labels = {"stage=build"}};
  EXPECT_THAT(ids(prunable_images(images, {}, wish)), ElementsAre("old"));
  wish.labels = {"stage=test"};
  EXPECT_THAT(ids(prunable_images(images, {}, wish)), IsEmpty());
  wish.labels = {"stage"};
  EXPECT_THAT(ids(prunable_images(images, {}, wish)), ElementsAre("old"));
}

TEST(FleetInventory, OnlyVolumesWithoutANameOfTheirOwnGoByDefault) {
  auto labelled = volume("x");
  labelled.labels = {{"com.docker.volume.anonymous", ""}};
  std::vector volumes{volume("data"), volume(std::string(64, 'a')), labelled};
  EXPECT_THAT(ids(prunable_volumes(volumes, {}, {})), ElementsAre(std::string(64, 'a'), "x"));
  EXPECT_THAT(ids(prunable_volumes(volumes, {}, {.which = unused})),
              ElementsAre("data", std::string(64, 'a'), "x"));
}

TEST(FleetInventory, WhatAStoppedContainerHasStays) {
  auto stopped = container("db", "i");
  stopped.state = "exited";
  stopped.volumes = {"data"};
  stopped.networks = {"inner"};
  std::vector uses{stopped};
  std::vector volumes{volume("data"), volume("spare")};
  std::vector networks{network("inner"), network("spare")};
  EXPECT_THAT(ids(prunable_volumes(volumes, uses, {.which = unused})), ElementsAre("spare"));
  EXPECT_THAT(ids(prunable_networks(networks, uses, {})), ElementsAre("id-of-spare"));
}

TEST(FleetInventory, TheEnginesOwnNetworksStay) {
  std::vector networks{network("bridge"), network("host"), network("none"), network("mine")};
  EXPECT_THAT(ids(prunable_networks(networks, {}, {})), UnorderedElementsAre("id-of-mine"));
}

TEST(FleetInventory, WhatCarriesTheKeptLabelStays) {
  auto ours = volume("gantry-init");
  ours.labels = {{"io.gantry.kind", "init-volume"}};
  std::vector volumes{ours, volume("data")};
  PruneWish wish{.which = unused, .kept_label = "io.gantry.kind"};
  EXPECT_THAT(ids(prunable_volumes(volumes, {}, wish)), ElementsAre("data"));
}

}  // namespace
}  // namespace gantry::fleet
