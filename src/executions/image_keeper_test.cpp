#include "executions/image_keeper.hpp"

#include "async/deadline.hpp"
#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"
#include "storage/database.hpp"
#include "storage/testing_fake.hpp"

#include <chrono>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gantry::executions {
namespace {

using engine::FakeDaemon;
using sandbox::ImageUse;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* inspect = "/images/ruby%3A3/json";
constexpr const char* removal = "/images/ruby%3A3";

std::string image(std::string_view tags) {
  return fmt::format(R"({{"Id":"sha256:{}","RepoTags":[{}]}})", FakeDaemon::id("1"), tags);
}

class ImageKeeperTest : public testing::Test {
 protected:
  ImageKeeperTest() { begin(); }
  void TearDown() override {
    end();
    EXPECT_THAT(daemon_.server().unexpected(), IsEmpty());
  }
  void begin() {
    keeper_ = std::make_unique<ImageKeeper>(
        loop_.executor(), *database_, *client_,
        ImageKeeper::Settings{.unused_max = Seconds{24 * 3600},
                              .clock = Clock{[this] { return now_; }}});
    loop_.run(keeper_->start());
  }
  void end() { loop_.run(keeper_->close()); }
  int collect() { return value_or_throw(loop_.run(keeper_->collect())); }
  void pass(Seconds time) { now_ += time; }

  WallTime now_{Milliseconds{1'790'000'000'000}};
  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::unique_ptr<engine::Client> client_ = daemon_.client(loop_.executor());
  storage::TemporaryFolder folder_;
  std::unique_ptr<storage::Database> database_ =
      loop_.run(storage::open_for_test(folder_.path() / "data"));
  std::unique_ptr<ImageKeeper> keeper_;
};

TEST_F(ImageKeeperTest, WhatWasPulledAndNotUsedIsRemoved) {
  keeper_->note("ruby:3", ImageUse::pulled);
  pass(Seconds{23 * 3600});
  EXPECT_EQ(collect(), 0);
  pass(Seconds{2 * 3600});
  daemon_.expect("GET", inspect).reply(200, image(R"("ruby:3")"));
  daemon_.expect("DELETE", removal).reply(200, "[]");
  EXPECT_EQ(collect(), 1);
  EXPECT_THAT(keeper_->images(), IsEmpty());
}

TEST_F(ImageKeeperTest, WhatIsUsedStays) {
  keeper_->note("ruby:3", ImageUse::pulled);
  pass(Seconds{20 * 3600});
  keeper_->note("ruby:3", ImageUse::served);
  pass(Seconds{20 * 3600});
  EXPECT_EQ(collect(), 0);
}

TEST_F(ImageKeeperTest, WhatOthersBroughtIsNotOurs) {
  keeper_->note("ruby:3", ImageUse::served);
  pass(Seconds{48 * 3600});
  EXPECT_EQ(collect(), 0);
  EXPECT_THAT(keeper_->images(), IsEmpty());
}

TEST_F(ImageKeeperTest, ARestartForgetsNothing) {
  // It is written behind the note; a busy disk takes its time.
  for (int tries = 1; tries <= 50 && keeper_->images().empty(); ++tries) {
    keeper_->note("ruby:3", ImageUse::pulled);
    loop_.run(async::pause(Milliseconds{50 * tries}));
    end();
    begin();
  }
  EXPECT_THAT(keeper_->images(), SizeIs(1));
}

TEST_F(ImageKeeperTest, WhatHasAnotherNameOrAContainerStays) {
  keeper_->note("ruby:3", ImageUse::pulled);
  pass(Seconds{48 * 3600});
  daemon_.expect("GET", inspect).reply(200, image(R"("ruby:3","mine:1")"));
  EXPECT_EQ(collect(), 0);
  daemon_.expect("GET", inspect).reply(200, image(R"("ruby:3")"));
  daemon_.expect("DELETE", removal).reply(409, R"({"message":"image is being used"})");
  EXPECT_EQ(collect(), 0);
  EXPECT_THAT(keeper_->images(), SizeIs(1));
}

TEST_F(ImageKeeperTest, WhatIsGoneIsForgotten) {
  keeper_->note("ruby:3", ImageUse::pulled);
  pass(Seconds{48 * 3600});
  daemon_.expect("GET", inspect).reply(404, R"({"message":"No such image"})");
  EXPECT_EQ(collect(), 0);
  EXPECT_THAT(keeper_->images(), IsEmpty());
}

}  // namespace
}  // namespace gantry::executions
