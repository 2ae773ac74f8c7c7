// Images, volumes, networks and the disk of a real engine, through the engine client.
#include "engine/disk_usage.hpp"
#include "engine/networks.hpp"
#include "integration/real_engine.hpp"

#include <gmock/gmock.h>

namespace gantry::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class EngineObjects : public RealEngine {
 protected:
  void TearDown() override {
    for (const auto& id : containers_) {
      run(remove_container(engine(), id, {.force = true, .volumes = true}));
    }
    for (const auto& name : networks_) run(remove_network(engine(), name));
    RealEngine::TearDown();
  }
  std::string new_network(NetworkSpec spec) {
    networks_.push_back(spec.name);
    return must(create_network(engine(), std::move(spec)));
  }
  /// A sleeper that is gone before the networks are.
  std::string runner() {
    auto spec = sleeper();
    spec.network_mode = "bridge";  // who has none can join no other, either
    containers_.push_back(started(spec));
    return containers_.back();
  }

  std::vector<std::string> containers_;
  std::vector<std::string> networks_;
};

TEST_F(EngineObjects, AnImageHasAHistoryAndTellsWhatItsRemovalDid) {
  auto reference = value_or_throw(ImageReference::parse("gantry-test/" + random::word(12)));
  auto id = must(import_image(engine(), reference, source_of(std::string(1024, '\0')), {}));
  auto steps = must(image_history(engine(), reference.familiar()));
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_THAT(steps[0].tags, ElementsAre(reference.familiar()));
  auto details = must(inspect_image(engine(), id));
  EXPECT_THAT(details.created, HasSubstr("T"));
  EXPECT_THAT(details.layers, SizeIs(1));
  auto removed = must(remove_image(engine(), id, RemoveImage::unless_used));
  EXPECT_THAT(removed.untagged, Contains(reference.familiar()));
  EXPECT_THAT(removed.deleted, Contains(id));
}

TEST_F(EngineObjects, AVolumeTellsItsOptionsAndPlace) {
  auto name = fresh_name();
  VolumeSpec spec{.name = name,
                  .options = {{"type", "tmpfs"}, {"device", "tmpfs"}, {"o", "size=1m"}},
                  .labels = labels()};
  must(create_volume(engine(), std::move(spec)));
  auto volume = must(inspect_volume(engine(), name));
  EXPECT_EQ(volume.options.at("o"), "size=1m");
  EXPECT_THAT(volume.mountpoint, HasSubstr(name));
}

TEST_F(EngineObjects, ANetworkIsMadeJoinedLeftAndRemoved) {
  auto name = fresh_name();
  auto id = new_network({.name = name, .internal = true, .labels = labels()});
  auto container = runner();
  EXPECT_TRUE(run(connect_network(engine(), name, {.container = container, .aliases = {"www"}})));
  auto network = must(inspect_network(engine(), id));
  EXPECT_TRUE(network.internal);
  EXPECT_EQ(network.labels, labels());
  ASSERT_THAT(network.members, SizeIs(1));
  EXPECT_EQ(network.members[0].container, container);
  EXPECT_THAT(network.members[0].ipv4, HasSubstr("/"));

  auto refused = run(remove_network(engine(), id));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("active endpoints"));
  EXPECT_TRUE(run(disconnect_network(engine(), id, container, Disconnect::when_possible)));
  EXPECT_THAT(must(inspect_network(engine(), id)).members, IsEmpty());
  EXPECT_TRUE(run(remove_network(engine(), id)));
}

TEST_F(EngineObjects, ANetworkHasTheAddressesThatWereAskedFor) {
  auto name = fresh_name();
  new_network({.name = name,
               .subnets = {{"10.211.77.0/24", "10.211.77.1", "10.211.77.128/25"}},
               .labels = labels()});
  auto network = must(inspect_network(engine(), name));
  ASSERT_THAT(network.subnets, SizeIs(1));
  EXPECT_EQ(network.subnets[0].prefix, "10.211.77.0/24");
  EXPECT_EQ(network.subnets[0].gateway, "10.211.77.1");
  EXPECT_EQ(network.subnets[0].range, "10.211.77.128/25");
}

TEST_F(EngineObjects, WhatTakesRoomIsCounted) {
  auto name = fresh_name();
  must(create_volume(engine(), name, labels()));
  auto usage = must(disk_usage(engine()));
  EXPECT_GT(usage.layers_bytes, 0);
  EXPECT_THAT(usage.images, Contains(Field(&ImageUsage::tags, Contains(image))));
  EXPECT_THAT(usage.volumes, Contains(Field(&VolumeUsage::name, name)));
}

}  // namespace
}  // namespace gantry::engine
