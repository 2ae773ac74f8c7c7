// Pulls, against a real registry.
#include "engine/images.hpp"
#include "integration/registry.hpp"
#include "sandbox/images.hpp"

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

class PulledImages : public RealRegistry {
 protected:
  /// Puts the shell image into the registry under this name, and nowhere else.
  void offer(const std::string& reference) {
    auto name = value_or_throw(engine::ImageReference::parse(reference));
    must(engine::tag_image(engine(), image, name));
    push(reference);
  }

  Result<ServedImage> resolve(Images& images, std::string reference) {
    return run(images.resolve(std::move(reference), Logins::none,
                              [this](std::string line) { progress_.push_back(std::move(line)); }));
  }

  /// That know the registry of these tests.
  ImageRules rules() const {
    ImageRules rules;
    rules.add_registry_of(value_or_throw(engine::ImageReference::parse(at_registry("x"))));
    return rules;
  }

  std::vector<std::string> progress_;
};

TEST_F(PulledImages, ArePulledWithVisibleProgressWhenTheEngineLacksThem) {
  auto reference = at_registry("tools/shell:1");
  offer(reference);
  Images images{loop_.executor(), engine(), {.aliases = default_aliases(), .rules = rules()}};
  auto served = resolve(images, reference);
  ASSERT_TRUE(served) << served.error().sentence();
  EXPECT_EQ(served->name, reference);
  EXPECT_FALSE(progress_.empty());
  EXPECT_TRUE(progress_.back().starts_with("pulling " + reference)) << progress_.back();
  run(images.close());
  EXPECT_TRUE(run(engine::remove_image(engine(), reference, engine::RemoveImage::unless_used)));
}

TEST_F(PulledImages, ThatTheRegistryDoesNotHaveAreAnErrorInItsOwnWords) {
  Images images{loop_.executor(), engine(), {.rules = rules()}};
  auto served = resolve(images, at_registry("tools/nothing:1"));
  run(images.close());
  ASSERT_FALSE(served);
  EXPECT_NE(served.error().message.find("manifest unknown"), std::string::npos)
      << served.error().sentence();
}

TEST_F(PulledImages, AreServedByTheirAliasOnlyWhileTheyCanNotBePulled) {
  auto reference = at_registry("tools/later:1");
  {
    Images images{loop_.executor(), engine(), {.aliases = {{reference, image}}, .rules = rules()}};
    auto served = resolve(images, reference);
    run(images.close());
    ASSERT_TRUE(served) << served.error().sentence();
    EXPECT_EQ(served->name, image);
  }
  offer(reference);
  Images images{loop_.executor(), engine(), {.aliases = {{reference, image}}, .rules = rules()}};
  auto served = resolve(images, reference);
  run(images.close());
  ASSERT_TRUE(served) << served.error().sentence();
  EXPECT_EQ(served->name, reference);
  EXPECT_TRUE(run(engine::remove_image(engine(), reference, engine::RemoveImage::unless_used)));
}

}  // namespace
}  // namespace gantry::sandbox
