#include "async/deadline.hpp"
#include "executions/testing_fake.hpp"

namespace gantry::executions {
namespace {

using sandbox::Verdict;
using ::testing::SizeIs;

/// What becomes of acknowledged executions when the disk is full or the server stops at a bad
/// moment: one verdict each, and none blocks the others.
class StoppingTest : public ExecutionsFixture {
 protected:
  void until_runs(std::size_t count) {
    loop_.run(async::until([&] { return sandbox_.runs.size() == count; }));
  }
  Verdict verdict(const ExecutionId& id) { return ended(id).outcome->verdict; }
};

TEST_F(StoppingTest, WhatWaitsOutlivesAFullDisk) {
  start({.running_max = 1});
  auto [first, run] = running();
  auto second = submit().value().id;
  auto third = submit().value().id;
  database_->broken = true;
  run->end(success());
  loop_.run(async::pause(Milliseconds{150}));
  EXPECT_THAT(sandbox_.runs, SizeIs(1));
  EXPECT_EQ(found(second).state, State::queued);

  database_->broken = false;
  EXPECT_EQ(verdict(first), Verdict::ok);
  until_runs(2);
  sandbox_.runs[1]->end(success());
  EXPECT_EQ(verdict(second), Verdict::ok);
  until_runs(3);
  sandbox_.runs[2]->end(success());
  EXPECT_EQ(verdict(third), Verdict::ok);
  EXPECT_EQ(executions_->counters().ended[Verdict::ok], 3U);
}

TEST_F(StoppingTest, AVerdictThatCanNotBeStoredHoldsNobodyUp) {
  start({.running_max = 1});
  auto [first, run] = running();
  submit().value();
  database_->refusals = 1;
  run->end(success());
  until_runs(2);
  EXPECT_NE(found(first).state, State::finished);
  EXPECT_EQ(verdict(first), Verdict::ok);
}

TEST_F(StoppingTest, WhatWaitsInAFullDiskCanBeCancelled) {
  start({.running_max = 1});
  auto [first, run] = running();
  auto second = submit().value().id;
  database_->broken = true;
  run->end(success());
  loop_.run(async::pause(Milliseconds{20}));
  EXPECT_TRUE(loop_.run(executions_->cancel(second, everybodys)));
  database_->broken = false;
  EXPECT_EQ(verdict(second), Verdict::cancelled);
  EXPECT_THAT(sandbox_.runs, SizeIs(1));
}

TEST_F(StoppingTest, WhatWasChosenAndHasNotBegunRunsAfterTheNextStart) {
  start({.running_max = 1});
  auto [first, run] = running();
  auto second = submit().value().id;
  database_->broken = true;
  run->end(success());
  loop_.run(async::until([&] { return sandbox_.runs[0]->left; }));
  loop_.run(executions_->close(Milliseconds{5'000}));
  database_->broken = false;

  start({.running_max = 1});
  EXPECT_EQ(verdict(first), Verdict::infrastructure_error);
  until_runs(2);
  EXPECT_EQ(sandbox_.runs[1]->execution.id, second);
  EXPECT_EQ(sandbox_.runs[1]->execution.program.files.at(0).content, "ls");
}

TEST_F(StoppingTest, WhatWaitsForTheNextStartCanStillBeCancelled) {
  start({.running_max = 1});
  running();
  auto waited = submit().value().id;
  loop_.run(executions_->close(Milliseconds{5'000}));
  EXPECT_TRUE(loop_.run(executions_->cancel(waited, everybodys)));
  EXPECT_FALSE(loop_.run(executions_->cancel(waited, everybodys)));
  EXPECT_EQ(verdict(waited), Verdict::cancelled);

  start({});
  EXPECT_EQ(verdict(waited), Verdict::cancelled);
  EXPECT_THAT(sandbox_.runs, SizeIs(1));
}

}  // namespace
}  // namespace gantry::executions
