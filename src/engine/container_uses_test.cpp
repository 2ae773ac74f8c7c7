#include "engine/container_uses.hpp"

#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class EngineContainerUses : public testing::Test {
 protected:
  Result<std::vector<ContainerUse>> uses_in(std::string answer) {
    daemon_.expect("GET", "/containers/json?all=1").reply(200, std::move(answer));
    return loop_.run(container_uses(*client_));
  }

  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::unique_ptr<Client> client_ = daemon_.client(loop_.executor());
};

TEST_F(EngineContainerUses, AContainerHoldsItsImageItsVolumesAndItsNetworks) {
  auto uses = value_or_throw(
      uses_in(R"([{"Id":"c","Names":["/other/web","/web"],"State":"exited","ImageID":"sha256:1",)"
              R"("Labels":{"a":"b"},"Mounts":[{"Type":"volume","Name":"data"},)"
              R"({"Type":"bind","Source":"/x","Name":"no"}],)"
              R"("NetworkSettings":{"Networks":{"inner":{"NetworkID":"n1"},"odd":null}}}])"));
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].name, "web");
  EXPECT_EQ(uses[0].image_id, "sha256:1");
  EXPECT_THAT(uses[0].volumes, ElementsAre("data"));
  EXPECT_THAT(uses[0].networks, ElementsAre("inner", "n1", "odd"));
  EXPECT_EQ(uses[0].labels.at("a"), "b");
}

TEST_F(EngineContainerUses, WhatIsNotThereIsNothing) {
  auto uses = value_or_throw(uses_in(R"([{"Id":"c","Mounts":null,"NetworkSettings":null}])"));
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].name, "");
  EXPECT_THAT(uses[0].volumes, IsEmpty());
}

TEST_F(EngineContainerUses, WhatIsNoListIsMalformed) {
  auto uses = uses_in("{}");
  ASSERT_FALSE(uses);
  EXPECT_EQ(uses.error().code, "engine_answer_malformed");
}

}  // namespace
}  // namespace gantry::engine
