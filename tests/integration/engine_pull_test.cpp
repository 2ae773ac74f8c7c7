// Pulls from a registry of our own, through the engine client.
#include "integration/registry.hpp"

#include <gmock/gmock.h>

namespace gantry::engine {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class EnginePull : public RealRegistry {
 protected:
  ImageReference reference_to(std::string_view name) const {
    return value_or_throw(ImageReference::parse(at_registry(name)));
  }
};

TEST_F(EnginePull, APulledImageIsThereAndItsProgressWasSeen) {
  auto reference = reference_to("team/app:1.0");
  auto id = push_small_image(reference.familiar());
  std::vector<std::string> seen;
  auto note = [&](const PullProgress& line) { seen.push_back(line.status); };
  auto pulled = run(pull_image(engine(), reference, {}, note));
  ASSERT_TRUE(pulled) << pulled.error().sentence();
  EXPECT_EQ(must(inspect_image(engine(), reference.familiar())).id, id);
  EXPECT_THAT(seen, Contains(HasSubstr("Pulling from team/app")));
  EXPECT_TRUE(run(remove_image(engine(), id, RemoveImage::force)));
}

TEST_F(EnginePull, AnImageCanBePulledByItsDigest) {
  auto reference = reference_to("team/app:1.0");
  auto id = must(import_image(engine(), reference, source_of(std::string(10'240, '\0')), {}));
  auto by_digest = reference_to("team/app@" + push(reference.familiar()));
  auto pulled = run(pull_image(engine(), by_digest, {}, {}));
  ASSERT_TRUE(pulled) << pulled.error().sentence();
  EXPECT_EQ(must(inspect_image(engine(), by_digest.familiar())).id, id);
  EXPECT_TRUE(run(remove_image(engine(), id, RemoveImage::force)));
}

TEST_F(EnginePull, ATagThatIsNotThereIsNotFoundInTheRegistrysWords) {
  push_small_image(at_registry("team/app:1.0"));
  auto pulled = run(pull_image(engine(), reference_to("team/app:2.0"), {}, {}));
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind, ErrorKind::not_found);
  EXPECT_EQ(pulled.error().code, "engine_no_such_remote_image");
  EXPECT_THAT(pulled.error().message, HasSubstr("manifest"));
}

TEST_F(EnginePull, ANameThatIsNotThereIsNotFoundToo) {
  auto pulled = run(pull_image(engine(), reference_to("nobody/nothing"), {}, {}));
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace gantry::engine
