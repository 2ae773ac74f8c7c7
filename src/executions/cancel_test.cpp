#include "executions/testing_fake.hpp"

namespace gantry::executions {
namespace {

using sandbox::Stage;
using sandbox::Verdict;
using ::testing::SizeIs;

/// At whatever stage an execution is cancelled: one verdict is told, one is on disk, and after a
/// restart it is still that one.
class CancelTest : public ExecutionsFixture {
 protected:
  /// How often the execution's followers hear of a verdict, from its start.
  int verdicts_told(const ExecutionId& id) {
    auto follower = loop_.run(executions_->follow(id, everybodys)).value();
    int told = 0;
    while (auto happening = loop_.run(follower.next())) {
      if (happening->kind == Happening::Kind::verdict) ++told;
    }
    return told;
  }
  void expect_one(const ExecutionId& id, Verdict verdict) {
    EXPECT_EQ(ended(id).outcome->verdict, verdict);
    EXPECT_EQ(verdicts_told(id), 1);
    EXPECT_EQ(executions_->counters().ended[verdict], 1U);
    auto runs = sandbox_.runs.size();
    start({});
    EXPECT_EQ(found(id).outcome->verdict, verdict);
    EXPECT_THAT(sandbox_.runs, SizeIs(runs));
  }
  bool cancel(const ExecutionId& id) {
    return loop_.run(executions_->cancel(id, everybodys)).has_value();
  }
};

TEST_F(CancelTest, InTheQueue) {
  start({.running_max = 1});
  running();
  auto id = submit().value().id;
  EXPECT_TRUE(cancel(id));
  EXPECT_EQ(ended(id).outcome->verdict, Verdict::cancelled);
  EXPECT_EQ(verdicts_told(id), 1);
  EXPECT_THAT(loop_.run(store::waiting(*database_)), SizeIs(0));
}

TEST_F(CancelTest, BeforeItIsPrepared) {
  auto id = submit().value().id;
  EXPECT_TRUE(cancel(id));
  expect_one(id, Verdict::cancelled);
}

TEST_F(CancelTest, WhileItIsPrepared) {
  auto [id, run] = running();
  run->observer.progress("pulling");
  EXPECT_TRUE(cancel(id));
  expect_one(id, Verdict::cancelled);
  EXPECT_TRUE(run->left);
}

TEST_F(CancelTest, WhileItIsCompiled) {
  auto [id, run] = running();
  run->observer.started(Stage::compile);
  run->err("a warning");
  EXPECT_TRUE(cancel(id));
  expect_one(id, Verdict::cancelled);
  EXPECT_EQ(found(id).compile_errors, "a warning");
}

TEST_F(CancelTest, WhileItRuns) {
  auto [id, run] = running();
  run->observer.started(Stage::run);
  EXPECT_TRUE(cancel(id));
  EXPECT_TRUE(cancel(id));
  expect_one(id, Verdict::cancelled);
}

TEST_F(CancelTest, WhileItsVerdictIsStored) {
  auto [id, run] = running();
  database_->broken = true;
  run->end(success());
  loop_.run(async::until([&sandbox = sandbox_] { return sandbox.runs.back()->left; }));
  EXPECT_TRUE(cancel(id));
  database_->broken = false;
  expect_one(id, Verdict::ok);
}

TEST_F(CancelTest, WhenItsTurnComesInThatMoment) {
  start({.running_max = 1});
  auto [first, run] = running();
  auto id = submit().value().id;
  run->end(success());
  EXPECT_TRUE(cancel(id));
  EXPECT_EQ(ended(first).outcome->verdict, Verdict::ok);
  EXPECT_EQ(ended(id).outcome->verdict, Verdict::cancelled);
  EXPECT_EQ(verdicts_told(id), 1);
  loop_.run(async::until([&] { return executions_->counters().running == 0; }));
}

TEST_F(CancelTest, AfterItsEndItIsAConflict) {
  auto [id, run] = running();
  run->end(success());
  ended(id);
  EXPECT_FALSE(cancel(id));
  expect_one(id, Verdict::ok);
}

}  // namespace
}  // namespace gantry::executions
