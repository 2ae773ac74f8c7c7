#include "sandbox/pool.hpp"

#include "async/deadline.hpp"
#include "async/testing_fake.hpp"
#include "net/memory_stream_fake.hpp"
#include "sandbox/testing_fake.hpp"

#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A pool whose containers are the two ends of a stream, on a clock that stands still.
class PoolTest : public testing::Test {
 protected:
  void TearDown() override { loop_.run(pool_.close()); }

  async::task<Result<BoxPtr>> make(WarmClass warm_class, ServedImage, Policy policy) {
    ++making_;
    most_making_ = std::max(most_making_, making_);
    co_await async::pause(Milliseconds{5});
    --making_;
    if (!fault_.empty()) co_return fail(ErrorKind::unavailable, "no", fault_);
    auto [ours, theirs] = net::memory_streams(loop_.executor());
    ends_.push_back(std::move(theirs));
    auto box = std::make_shared<Box>(
        loop_.executor(), engine::AttachedStream{std::move(ours), engine::Framing::multiplexed});
    box->lease.container = std::to_string(++made_);
    box->warm_class = warm_class;
    box->resources = resources_of(policy);
    co_return box;
  }
  static bool any(const Box&) { return true; }
  BoxPtr take(Policy policy = {}, const ServedImage& image = image_named("1")) {
    auto box = pool_.take(class_of(policy, image), image, policy, any);
    return box;
  }
  static ServedImage image_named(std::string id) { return {.name = "python", .id = std::move(id)}; }
  static WarmClass class_of(const Policy& policy, const ServedImage& image) {
    return warm_class_of({ExecutionId{"e"}, {.command = {"sh"}}, policy}, image);
  }
  /// Runs the pool's upkeep until `reached`.
  void keep_up_until(std::function<bool()> reached) {
    loop_.run(keep_up(pool_, std::move(reached)));
  }
  static async::task<void> keep_up(Pool& pool, std::function<bool()> reached) {
    co_await async::race(async::until(std::move(reached)), pool.maintain());
  }
  PoolView view() const { return pool_.views().at(0); }
  std::size_t ready() const {
    std::size_t sum = 0;
    for (const auto& one : pool_.views()) sum += one.ready;
    return sum;
  }
  void fill() {
    take();
    keep_up_until([this] { return ready() == 1; });
  }

  async::TestLoop loop_;
  SteadyTime now_ = SteadyTime{} + Seconds{1000};
  std::string fault_;
  int made_ = 0;
  std::size_t making_ = 0;
  std::size_t most_making_ = 0;
  std::vector<std::string> discarded_;
  std::vector<std::unique_ptr<net::Stream>> ends_;
  Pool pool_{loop_.executor(),
             {.ready_min = 1,
              .ready_max = 4,
              .memory = Bytes{24U << 20U},
              .calm = Milliseconds{0},
              .calm_when_empty = Milliseconds{0}},
             {.make = [this](WarmClass warm_class, ServedImage image,
                             Policy policy) { return make(warm_class, image, policy); },
              .discard =
                  [this](BoxPtr box) {
                    box->wanted.stop();
                    discarded_.push_back(box->lease.container);
                  },
              .now = [this] { return now_; }}};
};

TEST_F(PoolTest, HasNothingForTheFirstProgramAndABoxForTheNext) {
  EXPECT_EQ(take(), nullptr);
  keep_up_until([this] { return ready() == 1; });
  auto box = take();
  ASSERT_NE(box, nullptr);
  EXPECT_TRUE(loop_.run(pool_.hand_over(box)));
  EXPECT_EQ(box->lease.container, "1");
}

TEST_F(PoolTest, HandsABoxOutOnce) {
  fill();
  EXPECT_NE(take(), nullptr);
  EXPECT_EQ(take(), nullptr);
}

TEST_F(PoolTest, TellsWhatIsInUseWhatItCostsAndWhatWentWrong) {
  fill();
  EXPECT_EQ(view().arrivals, 1U);
  EXPECT_EQ(view().memory, cost_of(Interpreter::none));
  auto box = take();
  ASSERT_TRUE(loop_.run(pool_.hand_over(box)));
  EXPECT_EQ(view().in_use, 1U);
  box.reset();
  fault_ = "no disk";
  keep_up_until([this] { return view().failures > 0; });
  EXPECT_EQ(view().in_use, 0U);
  EXPECT_EQ(view().last_error->message, "no disk");
  fault_.clear();
  now_ += Seconds{60};
  keep_up_until([this] { return ready() > 0; });
  EXPECT_FALSE(view().last_error);
}

TEST_F(PoolTest, FillsUpAgain) {
  fill();
  take();
  keep_up_until([this] { return made_ >= 2; });
}

TEST_F(PoolTest, KeepsAsManyAsCameAtOnceUpToTheMost) {
  for (int i = 0; i < 9; ++i) take();
  keep_up_until([this] { return ready() == 4; });
  EXPECT_EQ(view().wanted, 4U);
}

TEST_F(PoolTest, MakesTwoAtOnce) {
  for (int i = 0; i < 9; ++i) take();
  keep_up_until([this] { return ready() == 4; });
  EXPECT_EQ(most_making_, 2U);
}

TEST_F(PoolTest, MakesOneAtOnceWhileAProgramRuns) {
  Pool::Run running{pool_};
  for (int i = 0; i < 9; ++i) take();
  keep_up_until([this] { return ready() == 4; });
  EXPECT_EQ(most_making_, 1U);
}

TEST_F(PoolTest, NeverHandsOutABoxWhoseContainerEnded) {
  fill();
  ends_[0]->close();
  keep_up_until([this] { return made_ == 2 && ready() == 1; });
  EXPECT_THAT(discarded_, ElementsAre("1"));
  EXPECT_EQ(take()->lease.container, "2");
}

TEST_F(PoolTest, NeverHandsOutABoxThatSaysSomething) {
  fill();
  loop_.run(ends_[0]->write(engine_frame(1, init_frame('X', "the interpreter ended"))));
  keep_up_until([this] { return made_ == 2 && ready() == 1; });
  EXPECT_THAT(discarded_, ElementsAre("1"));
}

TEST_F(PoolTest, ABoxThatDiesWhileItIsHandedOverIsRefused) {
  fill();
  ends_[0]->close();
  auto box = take();
  ASSERT_NE(box, nullptr);
  box->died = true;
  EXPECT_FALSE(loop_.run(pool_.hand_over(box)));
}

TEST_F(PoolTest, ReplacesABoxThatHasGrownOld) {
  fill();
  now_ += Seconds{599};
  take();  // still in use
  keep_up_until([this] { return ready() == 1; });
  now_ += Seconds{599};
  keep_up_until([this] { return ready() == 1; });
  EXPECT_THAT(discarded_, IsEmpty());
  now_ += Seconds{1};
  pool_.take(class_of({}, image_named("1")), image_named("1"), {},
             [](const Box&) { return false; });
  keep_up_until([this] { return made_ == 3 && ready() == 1; });
  EXPECT_THAT(discarded_, ElementsAre("2"));
}

TEST_F(PoolTest, GivesUpAClassThatNobodyUses) {
  fill();
  now_ += Seconds{600};
  keep_up_until([this] { return pool_.views().empty(); });
  EXPECT_THAT(discarded_, ElementsAre("1"));
}

TEST_F(PoolTest, LetsGoOfTheBoxesOfAnImageThatIsAnotherNow) {
  fill();
  EXPECT_EQ(take({}, image_named("2")), nullptr);
  EXPECT_THAT(discarded_, ElementsAre("1"));
  EXPECT_EQ(pool_.views().size(), 1U);
  EXPECT_EQ(view().image_id, "2");
}

TEST_F(PoolTest, MakesNothingForAnUnusualClassThatCameOnce) {
  Policy unusual;
  unusual.tmpfs = Bytes{8U << 20U};
  take(unusual);
  EXPECT_EQ(view().wanted, 0U);
  take(unusual);
  EXPECT_GT(view().wanted, 0U);
}

TEST_F(PoolTest, WaitsForAMomentOfCalmWhenNoneIsReady) {
  Pool empty{loop_.executor(),
             {.ready_max = 4},
             {.make = [this](WarmClass warm_class, ServedImage image,
                             Policy policy) { return make(warm_class, image, policy); },
              .discard = [](const BoxPtr& box) { box->wanted.stop(); },
              .now = [this] { return now_; }}};
  auto image = image_named("1");
  empty.take(class_of({}, image), image, {}, any);
  loop_.run(keep_up(
      empty, [&, started = steady_now()] { return steady_now() - started > Milliseconds{50}; }));
  EXPECT_EQ(empty.views().at(0).ready, 0U);
  now_ += Milliseconds{10};
  loop_.run(keep_up(empty, [&] { return empty.views().at(0).ready == 1; }));
  loop_.run(empty.close());
}

TEST_F(PoolTest, WaitsForCalmWhileSomeAreReady) {
  Pool calm{loop_.executor(),
            {.ready_max = 4, .calm_when_empty = Milliseconds{0}},
            {.make = [this](WarmClass warm_class, ServedImage image,
                            Policy policy) { return make(warm_class, image, policy); },
             .discard = [](const BoxPtr& box) { box->wanted.stop(); },
             .now = [this] { return now_; }}};
  auto image = image_named("1");
  for (int i = 0; i < 4; ++i) calm.take(class_of({}, image), image, {}, any);
  loop_.run(keep_up(
      calm, [&, started = steady_now()] { return steady_now() - started > Milliseconds{100}; }));
  EXPECT_EQ(calm.views().at(0).ready, 2U);  // made at once, when there was none
  now_ += Milliseconds{30};
  loop_.run(keep_up(calm, [&] { return calm.views().at(0).ready == 4; }));
  loop_.run(calm.close());
}

TEST_F(PoolTest, KeepsToItsMemory) {
  // 24 MiB hold six of 4 MiB each.
  for (auto id : {"1", "2", "3"}) {
    auto image = image_named(id);
    image.name += id;
    for (int i = 0; i < 4; ++i) take({}, image);
  }
  keep_up_until([this] { return ready() == 6; });
  loop_.run(keep_up(
      pool_, [started = steady_now()] { return steady_now() - started > Milliseconds{100}; }));
  EXPECT_EQ(ready(), 6U);
}

TEST_F(PoolTest, PrefersABoxWithTheWantedResources) {
  for (int i = 0; i < 2; ++i) take();
  keep_up_until([this] { return ready() == 2; });
  Policy larger;
  larger.memory = Bytes{512U << 20U};
  auto other = take(larger);
  ASSERT_NE(other, nullptr);  // the engine changes its resources
  EXPECT_NE(other->resources, resources_of(larger));
  keep_up_until([this] { return ready() >= 2; });
  EXPECT_EQ(take(larger)->resources, resources_of(larger));
}

TEST_F(PoolTest, WaitsAfterAFailureBeforeItTriesAgain) {
  fault_ = "no space left on device";
  take();
  keep_up_until([this] { return view().failures == 1; });
  loop_.run(keep_up(
      pool_, [started = steady_now()] { return steady_now() - started > Milliseconds{100}; }));
  EXPECT_EQ(view().failures, 1U);
  fault_.clear();
  now_ += Seconds{1};
  keep_up_until([this] { return ready() == 1; });
}

TEST_F(PoolTest, CountsHitsAndMisses) {
  take();
  pool_.count_miss(class_of({}, image_named("1")));
  pool_.count_hit(class_of({}, image_named("1")));
  EXPECT_EQ(view().hits, 1U);
  EXPECT_EQ(view().misses, 1U);
}

TEST_F(PoolTest, ForgetsNothingAtItsEnd) {
  fill();
  loop_.run(pool_.close());
  EXPECT_THAT(discarded_, ElementsAre("1"));
  EXPECT_EQ(take(), nullptr);
}

TEST_F(PoolTest, WithoutRoomNothingWaits) {
  Pool none{loop_.executor(), {.ready_max = 0}, {}};
  EXPECT_EQ(none.take(class_of({}, image_named("1")), image_named("1"), {}, any), nullptr);
  EXPECT_THAT(none.views(), IsEmpty());
  loop_.run(none.close());
}

}  // namespace
}  // namespace gantry::sandbox
