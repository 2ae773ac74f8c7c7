#include "async/scope.hpp"
#include "fleet/link.hpp"
#include "integration/real_engine.hpp"

#include <algorithm>

#include <gmock/gmock.h>

namespace gantry::fleet {
namespace {

class FleetLinkOnAnEngine : public RealEngine {
 protected:
  void SetUp() override {
    RealEngine::SetUp();
    if (!usable()) return;
    link_ = std::make_unique<Link>(executor(), engine(), Clock{});
    scope_.spawn("link", link_->supervise());
    run(async::until([this] { return link_->view().state == EngineState::connected; }));
  }
  void TearDown() override {
    run(scope_.close());
    RealEngine::TearDown();
  }
  /// What the view says of a container's state; empty: not in it.
  std::string state_of(const std::string& id) const {
    for (const auto& item : link_->view().containers) {
      if (item.id == id) return item.state;
    }
    return "";
  }
  void until_state(const std::string& id, std::string state) {
    run(async::until([this, id, state] { return state_of(id) == state; }));
  }

  std::unique_ptr<Link> link_;
  async::TaskScope scope_{loop_.executor()};
};

TEST_F(FleetLinkOnAnEngine, TheViewFollowsAContainersLife) {
  auto id = create(sleeper());
  until_state(id, "created");
  EXPECT_TRUE(run(engine::start_container(engine(), id)));
  until_state(id, "running");
  EXPECT_TRUE(run(engine::pause_container(engine(), id)));
  until_state(id, "paused");
  EXPECT_TRUE(run(engine::unpause_container(engine(), id)));
  until_state(id, "running");
  EXPECT_TRUE(run(engine::remove_container(engine(), id, {.force = true})));
  until_state(id, "");
}

TEST_F(FleetLinkOnAnEngine, ARenameIsSeen) {
  auto id = create(sleeper());
  until_state(id, "created");
  auto name = fresh_name();
  EXPECT_TRUE(run(engine::rename_container(engine(), id, name)));
  run(async::until([&] {
    return std::ranges::any_of(link_->view().containers,
                               [&](const Container& item) { return item.name == name; });
  }));
}

TEST_F(FleetLinkOnAnEngine, TheFactsAreThere) {
  const auto& view = link_->view();
  EXPECT_FALSE(view.stale);
  EXPECT_TRUE(view.as_of);
  ASSERT_TRUE(view.system);
  EXPECT_GT(view.system->cpus, 0);
  EXPECT_GT(view.system->memory_bytes, 0);
  EXPECT_THAT(view.system->cgroup_version, ::testing::AnyOf("1", "2"));
  EXPECT_THAT(view.system->runtimes, ::testing::Contains("runc"));
  EXPECT_GE(*view.api_version, engine::oldest_api);
}

}  // namespace
}  // namespace gantry::fleet
