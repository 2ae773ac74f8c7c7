#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "executions/testing_fake.hpp"

namespace gantry::executions {
namespace {

using sandbox::Verdict;

/// Programs whose callers hear only of their end: short ones are written once, with their verdict.
class ToldAtTheEndTest : public ExecutionsFixture {
 protected:
  static Order order() {
    auto order = order_of(1);
    order.told = Order::Told::verdict;
    return order;
  }
  /// Places one and waits until it has come to the sandbox.
  std::pair<ExecutionId, std::shared_ptr<ScriptedSandbox::Run>> placed() {
    auto before = sandbox_.runs.size();
    placed_at_ = steady_now();
    auto id = place(order()).value().records.front().id;
    loop_.run(async::until([&] { return sandbox_.runs.size() > before; }));
    return {id, sandbox_.runs.back()};
  }
  bool on_disk(const ExecutionId& id) { return loop_.run(store::find(*database_, id)).has_value(); }
  /// True where it has taken so long until now that it may be.
  bool not_yet_on_disk(const ExecutionId& id) {
    return !on_disk(id) || steady_now() - placed_at_ >= Milliseconds{100};
  }
  bool comes_onto_disk(const ExecutionId& id) {
    auto deadline = steady_now() + Seconds{60};
    while (!on_disk(id) && steady_now() < deadline) loop_.run(async::pause(Milliseconds{10}));
    return on_disk(id);
  }

  SteadyTime placed_at_;
};

TEST_F(ToldAtTheEndTest, AShortOneIsWrittenWithItsVerdict) {
  auto [id, run] = placed();
  EXPECT_TRUE(not_yet_on_disk(id));
  EXPECT_EQ(found(id).state, State::preparing);
  run->end(success());
  EXPECT_EQ(ended(id).outcome->verdict, Verdict::ok);
  EXPECT_TRUE(on_disk(id));
  start({});
  EXPECT_EQ(found(id).outcome->verdict, Verdict::ok);
  EXPECT_EQ(found(id).language, "sh");
}

TEST_F(ToldAtTheEndTest, ALongOneIsWrittenMeanwhile) {
  auto [id, run] = placed();
  EXPECT_TRUE(comes_onto_disk(id));
  EXPECT_NE(found(id).state, State::finished);
  run->end(success());
  EXPECT_EQ(ended(id).outcome->verdict, Verdict::ok);
  start({});
  EXPECT_EQ(found(id).outcome->verdict, Verdict::ok);
}

TEST_F(ToldAtTheEndTest, WhatCouldNotBeWrittenMeanwhileIsWrittenAtItsEnd) {
  auto [id, run] = placed();
  database_->refusals = 1;
  loop_.run(async::until([&] { return database_->refusals == 0; }));
  EXPECT_FALSE(on_disk(id));
  run->end(success());
  EXPECT_EQ(ended(id).outcome->verdict, Verdict::ok);
  EXPECT_TRUE(on_disk(id));
}

TEST_F(ToldAtTheEndTest, NothingBeginsWhileVerdictsCanNotBeStored) {
  auto [id, run] = placed();
  database_->broken = true;
  run->end(success());
  loop_.run(async::pause(Milliseconds{20}));
  auto refused = loop_.run(async::attempt(executions_->place(order())));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "disk_full");
  EXPECT_EQ(sandbox_.runs.size(), 1U);

  database_->broken = false;
  EXPECT_EQ(ended(id).outcome->verdict, Verdict::ok);
  auto [next, another] = placed();
  EXPECT_TRUE(not_yet_on_disk(next));
  another->end(success());
  EXPECT_EQ(ended(next).outcome->verdict, Verdict::ok);
}

TEST_F(ToldAtTheEndTest, WhatIsUnderWayAtAStopIsCancelledAndKept) {
  auto [id, run] = placed();
  start({});
  EXPECT_EQ(found(id).outcome->verdict, Verdict::cancelled);
}

}  // namespace
}  // namespace gantry::executions
