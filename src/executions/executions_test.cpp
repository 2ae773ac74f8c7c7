#include "executions/executions.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "executions/execution_store.hpp"
#include "executions/testing_fake.hpp"

namespace gantry::executions {
namespace {

using sandbox::Verdict;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

using ExecutionsTest = ExecutionsFixture;

Verdict verdict_of(const Record& record) { return record.outcome.value().verdict; }

TEST_F(ExecutionsTest, WhatIsAcknowledgedIsOnDisk) {
  auto record = submit().value();
  auto row = loop_.run(store::find(*database_, record.id));
  ASSERT_TRUE(row);
  auto* stored = &row->first;
  EXPECT_EQ(stored->state, State::queued);
  EXPECT_EQ(stored->owner, "ann");
  EXPECT_EQ(stored->language, "sh");
  EXPECT_EQ(stored->image, "alpine:latest");
  EXPECT_THAT(stored->command, ElementsAre("sh", "main.sh"));
  EXPECT_EQ(stored->source, "ls");
}

TEST_F(ExecutionsTest, ARunIsKeptWithAllThatIsKnownOfIt) {
  auto [id, run] = running();
  EXPECT_EQ(found(id).state, State::preparing);
  run->observer.started(sandbox::Stage::run);
  EXPECT_EQ(found(id).state, State::running);
  run->out("out");
  run->err("err");
  run->end(success());
  auto record = ended(id);
  EXPECT_EQ(record.state, State::finished);
  EXPECT_EQ(verdict_of(record), Verdict::ok);
  EXPECT_LT(record.created_at, record.started_at);
  EXPECT_LT(record.started_at, record.finished_at);

  auto stored = loop_.run(store::find(*database_, id)).value().first;
  EXPECT_EQ(stored.output, "out");
  EXPECT_EQ(stored.errors, "err");
  EXPECT_EQ(stored.outcome->served_image, "gantry/sh:latest");
  EXPECT_EQ(stored.started_at, record.started_at);
  EXPECT_EQ(stored.finished_at, record.finished_at);
}

TEST_F(ExecutionsTest, AFailureOfTheSandboxIsAVerdictToo) {
  auto [id, run] = running();
  run->end(fail(ErrorKind::unavailable, "engine_unreachable", "cannot reach the engine"));
  auto record = ended(id);
  EXPECT_EQ(verdict_of(record), Verdict::infrastructure_error);
  EXPECT_EQ(record.outcome->message, "cannot reach the engine");
}

TEST_F(ExecutionsTest, AnUnknownIdIsNotFound) {
  EXPECT_EQ(loop_.run(executions_->find(ExecutionId{"none"}, everybodys)).error().code,
            "no_such_execution");
  EXPECT_EQ(loop_.run(executions_->wait(ExecutionId{"none"}, everybodys)).error().kind,
            ErrorKind::not_found);
  EXPECT_EQ(loop_.run(executions_->cancel(ExecutionId{"none"}, everybodys)).error().kind,
            ErrorKind::not_found);
}

TEST_F(ExecutionsTest, NoMoreRunAtOnceThanAllowedAndTheyRunInTheirOrder) {
  start({.running_max = 1});
  auto [first, run] = running();
  auto second = submit().value().id;
  auto third = submit().value().id;
  EXPECT_THAT(sandbox_.runs, SizeIs(1));
  EXPECT_EQ(executions_->counters().queued, 2U);

  run->end(success());
  ended(first);
  loop_.run(async::until([&] { return sandbox_.runs.size() == 2; }));
  EXPECT_EQ(sandbox_.runs[1]->execution.id, second);
  sandbox_.runs[1]->end(success());
  ended(second);
  loop_.run(async::until([&] { return sandbox_.runs.size() == 3; }));
  EXPECT_EQ(sandbox_.runs[2]->execution.id, third);
}

TEST_F(ExecutionsTest, AFullQueueRefusesUntilThereIsRoom) {
  start({.running_max = 1, .queued_max = 1});
  auto [first, run] = running();
  auto second = submit().value().id;
  auto refused = submit();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::exhausted);
  EXPECT_EQ(refused.error().code, "queue_full");

  run->end(success());
  ended(first);
  loop_.run(async::until([&] { return sandbox_.runs.size() == 2; }));
  EXPECT_TRUE(submit());
}

async::task<void> submit_into(Executions& executions, sandbox::Program program, int& accepted) {
  if (co_await executions.submit("ann", std::move(program), {})) ++accepted;
}

async::task<int> submit_at_once(async::TaskScope& clients, Executions& executions,
                                sandbox::Program program, int count) {
  int accepted = 0;
  for (int i = 0; i < count; ++i) {
    clients.spawn("client", submit_into(executions, program, accepted));
  }
  co_await clients.join();
  co_return accepted;
}

TEST_F(ExecutionsTest, TheQueuesBoundHoldsForThoseWhoComeAtOnce) {
  start({.running_max = 1, .queued_max = 3});
  async::TaskScope clients{loop_.executor()};
  EXPECT_THAT(loop_.run(submit_at_once(clients, *executions_, program(), 20)), Le(4));
  EXPECT_THAT(executions_->counters().queued, Le(3U));
}

TEST_F(ExecutionsTest, CancellingWhatRunsEndsIt) {
  auto [id, run] = running();
  run->out("so far");
  EXPECT_TRUE(loop_.run(executions_->cancel(id, everybodys)));
  auto record = ended(id);
  EXPECT_EQ(verdict_of(record), Verdict::cancelled);
  EXPECT_EQ(record.outcome->message, "cancelled on request");
  EXPECT_EQ(record.output, "so far");
  EXPECT_TRUE(run->left);
}

TEST_F(ExecutionsTest, CancellingWhatWaitsNeedsNoPlace) {
  start({.running_max = 1});
  running();
  auto waiting = submit().value().id;
  EXPECT_TRUE(loop_.run(executions_->cancel(waiting, everybodys)));
  EXPECT_EQ(verdict_of(ended(waiting)), Verdict::cancelled);
  EXPECT_THAT(sandbox_.runs, SizeIs(1));
  EXPECT_EQ(executions_->counters().queued, 0U);
  EXPECT_EQ(executions_->counters().running, 1U);
}

TEST_F(ExecutionsTest, WhatHasEndedCanNotBeCancelled) {
  auto [id, run] = running();
  run->end(success());
  ended(id);
  auto cancelled = loop_.run(executions_->cancel(id, everybodys));
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().kind, ErrorKind::conflict);
  EXPECT_EQ(cancelled.error().code, "already_finished");
  EXPECT_EQ(verdict_of(found(id)), Verdict::ok);
}

TEST_F(ExecutionsTest, ARunThatEndsWhileItIsCancelledKeepsItsOwnVerdict) {
  auto [id, run] = running();
  run->end(success());
  EXPECT_TRUE(loop_.run(executions_->cancel(id, everybodys)));
  EXPECT_EQ(verdict_of(ended(id)), Verdict::ok);
}

TEST_F(ExecutionsTest, AfterARestartTheUnfinishedEndAndTheFinishedStay) {
  auto [done, run] = running();
  run->end(success());
  ended(done);
  Record cut{.id = ExecutionId{"zzz"}, .owner = "ann", .created_at = now_};
  loop_.run(store::insert(*database_, {{cut, std::nullopt}}, std::nullopt, now_));

  start({});
  EXPECT_EQ(verdict_of(found(done)), Verdict::ok);
  auto record = found(cut.id);
  EXPECT_EQ(record.state, State::finished);
  EXPECT_EQ(verdict_of(record), Verdict::infrastructure_error);
  EXPECT_THAT(record.outcome->message, HasSubstr("the server stopped"));
  EXPECT_TRUE(record.finished_at);
}

TEST_F(ExecutionsTest, WhatCanNotBeStoredIsNotAcknowledged) {
  database_->broken = true;
  auto submitted = loop_.run(async::attempt(executions_->submit("ann", program(), {})));
  ASSERT_FALSE(submitted);
  EXPECT_EQ(submitted.error().code, "disk_full");
  EXPECT_THAT(sandbox_.runs, IsEmpty());
  EXPECT_EQ(executions_->counters().submitted, 0U);
  database_->broken = false;
  EXPECT_TRUE(submit());
}

async::task<void> heal_later(bool& broken) {
  co_await async::pause(Milliseconds{150});
  broken = false;
}

TEST_F(ExecutionsTest, AVerdictIsToldOnlyOnceItIsOnDiskHoweverLongThatTakes) {
  auto [id, run] = running();
  database_->broken = true;
  run->end(success());
  EXPECT_NE(loop_.run(executions_->find(id, everybodys))->state, State::finished);
  loop_.run(heal_later(database_->broken));
  EXPECT_EQ(verdict_of(ended(id)), Verdict::ok);
  EXPECT_EQ(loop_.run(store::find(*database_, id))->first.state, State::finished);
}

TEST_F(ExecutionsTest, WhatCanNotBeStoredAtAStopIsToldAsTheNextStartWillTellIt) {
  auto [id, run] = running();
  auto follower = loop_.run(executions_->follow(id, everybodys)).value();
  database_->broken = true;
  loop_.run(executions_->close(Milliseconds{5'000}));
  while (loop_.run(follower.next())) {
  }
  EXPECT_EQ(follower.record().outcome->verdict, Verdict::infrastructure_error);
}

TEST_F(ExecutionsTest, AVerdictIsToldOnlyOnceItIsOnDisk) {
  auto [id, run] = running();
  database_->broken = true;
  run->end(success());
  loop_.run(async::pause(Milliseconds{50}));
  EXPECT_THAT(executions_->unfinished(everybodys), SizeIs(1));
  database_->broken = false;
  EXPECT_EQ(verdict_of(ended(id)), Verdict::ok);
  EXPECT_EQ(loop_.run(store::find(*database_, id))->first.state, State::finished);
}

TEST_F(ExecutionsTest, ClosingEndsWhatRunsAndLeavesWhatWaitsForTheNextStart) {
  start({.running_max = 1});
  auto [ran, run] = running();
  auto waited = submit().value().id;
  loop_.run(executions_->close(Milliseconds{5'000}));
  auto first = loop_.run(store::find(*database_, ran)).value().first;
  auto second = loop_.run(store::find(*database_, waited)).value().first;
  EXPECT_EQ(verdict_of(first), Verdict::cancelled);
  EXPECT_EQ(first.outcome->message, "the server was stopped");
  EXPECT_EQ(second.state, State::queued);
}

async::task<std::vector<Record>> submit_while_closing(async::TaskScope& clients,
                                                      Executions& executions,
                                                      storage::Database& database,
                                                      sandbox::Program program) {
  int accepted = 0;
  clients.spawn("client", submit_into(executions, std::move(program), accepted));
  co_await executions.close(Milliseconds{5'000});
  co_await clients.join();
  co_return (co_await store::list(database, {.limit = 10, .cursor = ""}, everybodys)).items;
}

TEST_F(ExecutionsTest, WhatIsAcceptedWhileClosingRunsAfterTheNextStart) {
  async::TaskScope clients{loop_.executor()};
  auto records = loop_.run(submit_while_closing(clients, *executions_, *database_, program()));
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].state, State::queued);
  start({});
  loop_.run(async::until([&] { return !sandbox_.runs.empty(); }));
  EXPECT_EQ(sandbox_.runs[0]->execution.id, records[0].id);
}

TEST_F(ExecutionsTest, AfterClosingNothingIsAccepted) {
  loop_.run(executions_->close(Milliseconds{5'000}));
  auto refused = submit();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "server_stopping");
}

TEST_F(ExecutionsTest, PagesAreNewestFirstAndFollowEachOther) {
  auto first = submit().value().id;
  auto second = submit().value().id;
  auto third = submit().value().id;
  auto page = loop_.run(executions_->list({.limit = 2, .cursor = ""}, everybodys));
  ASSERT_THAT(page.items, ElementsAre(Field(&Record::id, third), Field(&Record::id, second)));
  auto rest = loop_.run(executions_->list({.limit = 2, .cursor = page.next.value()}, everybodys));
  EXPECT_THAT(rest.items, ElementsAre(Field(&Record::id, first)));
  EXPECT_EQ(rest.next, std::nullopt);
}

TEST_F(ExecutionsTest, AListTellsWhatRunsAsItIsNow) {
  auto [id, run] = running();
  run->observer.started(sandbox::Stage::run);
  auto page = loop_.run(executions_->list({.limit = 10, .cursor = ""}, everybodys));
  EXPECT_EQ(page.items.at(0).state, State::running);
  EXPECT_TRUE(page.items.at(0).started_at);
}

TEST_F(ExecutionsTest, TheUnfinishedAreToldWithoutTheirOutput) {
  auto [id, run] = running();
  run->out("much");
  EXPECT_THAT(executions_->unfinished(everybodys),
              ElementsAre(AllOf(Field(&Record::id, id), Field(&Record::output, ""),
                                Field(&Record::state, State::preparing))));
}

TEST_F(ExecutionsTest, CountersAddUpAndEveryStateIsAChange) {
  auto before = executions_->version();
  auto [id, run] = running();
  EXPECT_GT(executions_->version(), before);
  auto outcome = success();
  outcome.wall_time = Microseconds{250};
  run->end(outcome);
  ended(id);
  auto counters = executions_->counters();
  EXPECT_EQ(counters.submitted, 1U);
  EXPECT_EQ(counters.ended[Verdict::ok], 1U);
  EXPECT_EQ(counters.wall_time, Microseconds{250});
  EXPECT_EQ(counters.running, 0U);
}

}  // namespace
}  // namespace gantry::executions
