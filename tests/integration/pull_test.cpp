// Pulls, against a real registry.
#include <fmt/format.h>

#include "engine/images.hpp"
#include "integration/real_engine.hpp"
#include "integration/registry.hpp"
#include "sandbox/images.hpp"

namespace gantry::sandbox {
namespace {

class PulledImages : public RealEngine {
 protected:
  void SetUp() override {
    RealEngine::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    registry_ = run(gantry::testing::Registry::start());
    if (registry_) return;
    constexpr auto* reason = "docker-registry is not installed: './dev test' installs it";
    if (std::getenv("CI") != nullptr) FAIL() << reason;
    GTEST_SKIP() << reason;
  }

  Result<ServedImage> resolve(Images& images, std::string reference) {
    return run(images.resolve(std::move(reference),
                              [this](std::string line) { progress_.push_back(std::move(line)); }));
  }

  std::unique_ptr<gantry::testing::Registry> registry_;
  std::vector<std::string> progress_;
};

TEST_F(PulledImages, ArePulledWithVisibleProgressWhenTheEngineLacksThem) {
  ASSERT_TRUE(run(registry_->offer(image, "tools/shell:1")));
  auto reference = registry_->address() + "/tools/shell:1";
  Images images{loop_.executor(), engine(), default_aliases()};
  auto served = resolve(images, reference);
  ASSERT_TRUE(served) << served.error().sentence();
  EXPECT_EQ(served->name, reference);
  EXPECT_FALSE(progress_.empty());
  EXPECT_TRUE(progress_.back().starts_with("pulling " + reference)) << progress_.back();
  run(images.close());
  EXPECT_TRUE(run(engine::remove_image(engine(), reference, engine::RemoveImage::unless_used)));
}

TEST_F(PulledImages, ThatTheRegistryDoesNotHaveAreAnErrorInItsOwnWords) {
  Images images{loop_.executor(), engine(), {}};
  auto served = resolve(images, registry_->address() + "/tools/nothing:1");
  run(images.close());
  ASSERT_FALSE(served);
  EXPECT_NE(served.error().message.find("manifest unknown"), std::string::npos)
      << served.error().sentence();
}

TEST_F(PulledImages, AreServedByTheirAliasOnlyWhileTheyCanNotBePulled) {
  auto reference = registry_->address() + "/tools/later:1";
  {
    Images images{loop_.executor(), engine(), {{reference, image}}};
    auto served = resolve(images, reference);
    run(images.close());
    ASSERT_TRUE(served) << served.error().sentence();
    EXPECT_EQ(served->name, image);
  }
  ASSERT_TRUE(run(registry_->offer(image, "tools/later:1")));
  Images images{loop_.executor(), engine(), {{reference, image}}};
  auto served = resolve(images, reference);
  run(images.close());
  ASSERT_TRUE(served) << served.error().sentence();
  EXPECT_EQ(served->name, reference);
  EXPECT_TRUE(run(engine::remove_image(engine(), reference, engine::RemoveImage::unless_used)));
}

}  // namespace
}  // namespace gantry::sandbox
