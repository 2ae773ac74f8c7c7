#include "async/deadline.hpp"
#include "executions/testing_fake.hpp"

#include <filesystem>

namespace gantry::executions {
namespace {

using sandbox::Verdict;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class IntakeTest : public ExecutionsFixture {
 protected:
  Order keyed(std::string key, std::string fingerprint, std::size_t count = 1) {
    auto order = order_of(count);
    order.key = {std::move(key), std::move(fingerprint)};
    return order;
  }
  void until_runs(std::size_t count) {
    loop_.run(async::until([&] { return sandbox_.runs.size() == count; }));
  }
  Verdict verdict(const ExecutionId& id) { return ended(id).outcome->verdict; }
};

TEST_F(IntakeTest, ABatchIsTakenInItsOrder) {
  start({.running_max = 1});
  auto receipt = place(order_of(3)).value();
  ASSERT_THAT(receipt.records, SizeIs(3));
  EXPECT_FALSE(receipt.batch.empty());
  EXPECT_LT(receipt.records[0].id, receipt.records[1].id);
  EXPECT_LT(receipt.records[1].id, receipt.records[2].id);
  until_runs(1);
  EXPECT_EQ(sandbox_.runs[0]->execution.id, receipt.records[0].id);
}

TEST_F(IntakeTest, ABatchCanBeListed) {
  submit();
  auto receipt = place(order_of(2)).value();
  auto page = loop_.run(executions_->list({.batch = receipt.batch}, everybodys));
  ASSERT_THAT(page.items, SizeIs(2));
  EXPECT_EQ(page.items[0].id, receipt.records[1].id);
  EXPECT_EQ(page.items[0].batch, receipt.batch);
  EXPECT_THAT(loop_.run(executions_->list({.batch = "none"}, everybodys)).items, IsEmpty());
}

TEST_F(IntakeTest, ABatchThatDoesNotFitIsRefusedAsAWhole) {
  start({.running_max = 1, .queued_max = 2});
  EXPECT_EQ(place(order_of(4)).error().code, "queue_full");
  EXPECT_THAT(sandbox_.runs, IsEmpty());
  EXPECT_EQ(executions_->counters().running, 0U);
  EXPECT_EQ(executions_->counters().queued, 0U);
  EXPECT_TRUE(place(order_of(3)));
}

TEST_F(IntakeTest, UsersTakeTurns) {
  start({.running_max = 1});
  auto [first, run] = running();
  auto anns = place(order_of(2)).value();
  auto bens = place(order_of(1, {"ben", {}})).value();
  run->end(success());
  until_runs(2);
  EXPECT_EQ(sandbox_.runs[1]->execution.id, anns.records[0].id);
  sandbox_.runs[1]->end(success());
  until_runs(3);
  EXPECT_EQ(sandbox_.runs[2]->execution.id, bens.records[0].id);
}

TEST_F(IntakeTest, ATokensBoundHoldsForItsPrograms) {
  start({.token = {.running_max = 1, .queued_max = 0}});
  EXPECT_TRUE(place(order_of(1, {"ann", "t"})));
  EXPECT_EQ(place(order_of(1, {"ann", "t"})).error().code, "token_queue_full");
  EXPECT_TRUE(place(order_of(1, {"ann", "u"})));
}

TEST_F(IntakeTest, TheSameRequestAgainIsTheSameExecution) {
  auto first = place(keyed("k", "body")).value();
  auto second = place(keyed("k", "body")).value();
  EXPECT_EQ(second.done, Receipt::Done::before);
  EXPECT_EQ(second.records.at(0).id, first.records.at(0).id);
  until_runs(1);
  sandbox_.runs[0]->end(success());
  ended(first.records[0].id);
  EXPECT_EQ(place(keyed("k", "body"))->records.at(0).state, State::finished);
  EXPECT_THAT(sandbox_.runs, SizeIs(1));
}

TEST_F(IntakeTest, TheSameKeyWithSomethingElseIsRefused) {
  ASSERT_TRUE(place(keyed("k", "body")));
  auto refused = place(keyed("k", "another"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_EQ(refused.error().code, "idempotency_key_reused");
}

TEST_F(IntakeTest, KeysOfDifferentUsersAreDifferent) {
  auto bens = keyed("k", "body");
  bens.caller.user = "ben";
  auto first = place(keyed("k", "body")).value();
  auto second = place(std::move(bens)).value();
  EXPECT_EQ(second.done, Receipt::Done::now);
  EXPECT_NE(second.records[0].id, first.records[0].id);
}

TEST_F(IntakeTest, ARepeatedRequestNeedsNoPlace) {
  start({.running_max = 1, .queued_max = 0});
  auto first = place(keyed("k", "body")).value();
  EXPECT_EQ(place(keyed("k", "body"))->records.at(0).id, first.records[0].id);
}

TEST_F(IntakeTest, AKeyIsForgottenAfterADay) {
  auto first = place(keyed("k", "body")).value();
  now_ += std::chrono::hours{25};
  EXPECT_NE(place(keyed("k", "another"))->records.at(0).id, first.records[0].id);
}

TEST_F(IntakeTest, ARepeatedBatchIsTheSameBatch) {
  start({.running_max = 1});
  auto first = place(keyed("k", "body", 3)).value();
  auto second = place(keyed("k", "body", 3)).value();
  EXPECT_EQ(second.batch, first.batch);
  ASSERT_THAT(second.records, SizeIs(3));
  EXPECT_EQ(second.records[0].id, first.records[0].id);
  EXPECT_EQ(second.records[2].id, first.records[2].id);
}

TEST_F(IntakeTest, ARepeatedBatchTellsOfWhatIsDeletedInItsPlace) {
  auto first = place(keyed("k", "body", 3)).value();
  loop_.run(database_->run([&](storage::Transaction& transaction) {
    // tidy: sql because retention takes the oldest, and this is to be the one in the middle
    transaction.execute("DELETE FROM executions WHERE id = $1", first.ids[1]);
  }));
  auto second = place(keyed("k", "body", 3)).value();
  EXPECT_EQ(second.ids, first.ids);
  ASSERT_THAT(second.records, SizeIs(2));
  EXPECT_EQ(second.records[1].id, first.ids[2]);
}

TEST_F(IntakeTest, ATokensBoundHoldsAfterARestart) {
  start({.token = {.running_max = 1}});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(place(order_of(1, {"ann", "t"})));
  until_runs(1);
  start({.token = {.running_max = 1}});
  until_runs(2);
  loop_.run(async::pause(Milliseconds{20}));
  EXPECT_THAT(sandbox_.runs, SizeIs(2));
  EXPECT_EQ(executions_->counters().queued, 1U);
}

async::task<void> place_into(Executions& executions, Order order, std::vector<ExecutionId>& ids) {
  auto receipt = co_await executions.place(std::move(order));
  if (receipt) ids.push_back(receipt->records.front().id);
}

async::task<void> place_twice(async::TaskScope& clients, Executions& executions, Order order,
                              std::vector<ExecutionId>& ids) {
  clients.spawn("first", place_into(executions, order, ids));
  clients.spawn("second", place_into(executions, order, ids));
  co_await clients.join();
}

TEST_F(IntakeTest, TwoThatComeAtOnceWithOneKeyAreOneExecution) {
  async::TaskScope clients{loop_.executor()};
  std::vector<ExecutionId> ids;
  loop_.run(place_twice(clients, *executions_, keyed("k", "body"), ids));
  ASSERT_THAT(ids, SizeIs(2));
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_EQ(executions_->counters().running, 1U);
}

TEST_F(IntakeTest, TwoThatComeAtOnceDoNotTakeTheWorkspaceFromEachOther) {
  async::TaskScope clients{loop_.executor()};
  std::vector<ExecutionId> ids;
  auto order = keyed("k", "body");
  order.submissions[0].policy.filesystem = sandbox::Filesystem::workspace;
  order.submissions[0].policy.workspace = "notes";
  loop_.run(place_twice(clients, *executions_, std::move(order), ids));
  ASSERT_THAT(ids, SizeIs(2));
  EXPECT_EQ(ids[0], ids[1]);
}

TEST_F(IntakeTest, AWorkspaceThatCanNotBeReadIsTheVerdictOfItsProgramOnly) {
  auto place_of = folder_.path() / "workspaces";
  start({.running_max = 1, .workspaces = {.folder = place_of}});
  running();
  auto order = order_of(1);
  order.submissions[0].policy.filesystem = sandbox::Filesystem::workspace;
  order.submissions[0].policy.workspace = "notes";
  auto waited = place(std::move(order)).value().ids[0];
  stop();
  std::filesystem::create_directories(place_of / "of-ann");
  std::filesystem::create_symlink("elsewhere", place_of / "of-ann" / "notes");
  start({.running_max = 1, .workspaces = {.folder = place_of}});
  EXPECT_EQ(verdict(waited), Verdict::infrastructure_error);
  running().second->end(success());
}

TEST_F(IntakeTest, AnOrderWithoutProgramsOnlyLooksUpItsKey) {
  auto none = keyed("k", "body", 0);
  none.kind = Order::Kind::batch;
  EXPECT_THAT(place(none)->ids, IsEmpty());
  auto some = keyed("k", "body", 2);
  some.refused = {0, 3};
  auto first = place(std::move(some)).value();
  ASSERT_THAT(first.ids, SizeIs(4));
  auto second = place(none).value();
  EXPECT_EQ(second.done, Receipt::Done::before);
  EXPECT_EQ(second.ids, first.ids);
  EXPECT_EQ(second.ids[0].text(), "");
  EXPECT_EQ(second.ids[1], first.records[0].id);
  EXPECT_EQ(second.ids[3].text(), "");
}

TEST_F(IntakeTest, WhatWaitedRunsAfterARestartOnce) {
  start({.running_max = 1});
  running();
  auto waited = submit().value().id;
  start({.running_max = 1});
  until_runs(2);
  EXPECT_EQ(sandbox_.runs[1]->execution.id, waited);
  EXPECT_EQ(sandbox_.runs[1]->execution.program.files.at(0).content, "ls");
  sandbox_.runs[1]->end(success());
  EXPECT_EQ(verdict(waited), Verdict::ok);

  start({});
  EXPECT_EQ(found(waited).outcome->verdict, Verdict::ok);
  EXPECT_THAT(sandbox_.runs, SizeIs(2));
}

TEST_F(IntakeTest, WhatHadBegunIsNotRunAgain) {
  start({.running_max = 1});
  auto [first, run] = running();
  auto second = submit().value().id;
  run->end(success());
  ended(first);
  until_runs(2);
  // A crash: the database is what it is now, and this process's memory is gone.
  auto waiting = loop_.run(store::waiting(*database_));
  EXPECT_THAT(waiting, IsEmpty());
  EXPECT_EQ(loop_.run(store::end_unfinished(*database_, now_, "cut off")), 1);
  EXPECT_EQ(loop_.run(store::find(*database_, second))->first.outcome->verdict,
            Verdict::infrastructure_error);
}

TEST_F(IntakeTest, WhatWaitsIsOnDiskWithItsProgram) {
  start({.running_max = 1});
  running();
  auto waited = submit().value().id;
  auto waiting = loop_.run(store::waiting(*database_));
  ASSERT_THAT(waiting, SizeIs(1));
  EXPECT_EQ(waiting[0].record.id, waited);
  EXPECT_EQ(waiting[0].record.source, "ls");
}

TEST_F(IntakeTest, WhatWasCancelledInTheQueueDoesNotRunAfterARestart) {
  start({.running_max = 1});
  running();
  auto waited = submit().value().id;
  loop_.run(executions_->cancel(waited, everybodys)).value();
  EXPECT_EQ(verdict(waited), Verdict::cancelled);
  start({});
  EXPECT_THAT(sandbox_.runs, SizeIs(1));
}

async::task<Result<Record>> wait_beside(async::TaskScope& scope, Executions& executions,
                                        ExecutionId id) {
  scope.spawn("stop", executions.close(Milliseconds{5'000}));
  co_return co_await executions.wait(std::move(id), everybodys);
}

TEST_F(IntakeTest, WhoWaitsForItIsToldThatTheServerStops) {
  start({.running_max = 1});
  running();
  auto waited = submit().value().id;
  async::TaskScope scope{loop_.executor()};
  auto answer = loop_.run(wait_beside(scope, *executions_, waited));
  loop_.run(scope.join());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "server_stopping");
  EXPECT_EQ(answer.error().kind, ErrorKind::unavailable);
}

TEST_F(IntakeTest, AProgramThatCanNotBeReadAnyMoreGetsItsVerdict) {
  Record record{.id = ExecutionId{"zzz"}, .owner = "ann", .created_at = now_};
  std::vector<store::Fresh> fresh{{record, Packed{"{", ""}}};
  loop_.run(store::insert(*database_, std::move(fresh), std::nullopt, now_));
  start({});
  auto ended = found(record.id);
  EXPECT_EQ(ended.outcome->verdict, Verdict::infrastructure_error);
  EXPECT_THAT(ended.outcome->message, HasSubstr("waited on disk"));
  EXPECT_THAT(loop_.run(store::waiting(*database_)), IsEmpty());
}

TEST_F(IntakeTest, AnInteractiveProgramHasAKeyboardUntilItsEnd) {
  auto order = order_of(1);
  order.submissions[0].input = Input::interactive;
  order.submissions[0].terminal = {.rows = 5, .columns = 6};
  auto id = place(std::move(order))->records[0].id;
  until_runs(1);
  auto keyboard = executions_->keyboard(id, everybodys);
  ASSERT_TRUE(keyboard);
  EXPECT_EQ(sandbox_.runs[0]->execution.keyboard, keyboard);
  EXPECT_EQ(sandbox_.runs[0]->execution.terminal->columns, 6);
  sandbox_.runs[0]->end(success());
  ended(id);
  EXPECT_FALSE(executions_->keyboard(id, everybodys));
  EXPECT_FALSE(keyboard->try_send({}));
}

}  // namespace
}  // namespace gantry::executions
