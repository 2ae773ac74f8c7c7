#include "executions/testing_fake.hpp"

namespace gantry::executions {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

/// Executions belong to who placed them: nobody else's reach has them, living or ended.
class ReachTest : public ExecutionsFixture {
 protected:
  std::string refusal(auto task) { return loop_.run(std::move(task)).error().code; }

  const std::string none_ = "no_such_execution";
  Reach anns_ = Reach::own("ann");
  Reach bens_ = Reach::own("ben");
};

TEST_F(ReachTest, WhatRunsIsItsOwners) {
  auto order = order_of(1);
  order.submissions[0].input = Input::interactive;
  auto id = place(std::move(order))->ids[0];
  EXPECT_EQ(refusal(executions_->find(id, bens_)), none_);
  EXPECT_EQ(refusal(executions_->wait(id, bens_)), none_);
  EXPECT_EQ(refusal(executions_->follow(id, bens_)), none_);
  EXPECT_EQ(refusal(executions_->cancel(id, bens_)), none_);
  EXPECT_FALSE(executions_->keyboard(id, bens_));
  EXPECT_THAT(executions_->unfinished(bens_), IsEmpty());
  EXPECT_TRUE(loop_.run(executions_->find(id, anns_)));
  EXPECT_TRUE(executions_->keyboard(id, anns_));
  EXPECT_THAT(executions_->unfinished(anns_), ElementsAre(Field(&Record::id, id)));
  EXPECT_TRUE(loop_.run(executions_->cancel(id, anns_)));
}

TEST_F(ReachTest, WhatHasEndedToo) {
  auto [id, run] = running();
  auto outcome = success();
  outcome.artifacts = {{"a", "x"}};
  run->end(outcome);
  ended(id);
  EXPECT_EQ(refusal(executions_->find(id, bens_)), none_);
  EXPECT_EQ(refusal(executions_->follow(id, bens_)), none_);
  EXPECT_EQ(refusal(executions_->cancel(id, bens_)), none_);
  EXPECT_EQ(refusal(executions_->artifact(id, 0, bens_)), none_);
  EXPECT_TRUE(loop_.run(executions_->artifact(id, 0, anns_)));
}

TEST_F(ReachTest, ListsHaveOnesOwnAndAnAdminsEverybodys) {
  auto anns = place(order_of(1, {"ann", {}}))->ids[0];
  auto bens = place(order_of(1, {"ben", {}}))->ids[0];
  auto ids = [&](const Reach& reach) {
    std::vector<ExecutionId> ids;
    for (const auto& item : loop_.run(executions_->list({}, reach)).items) ids.push_back(item.id);
    return ids;
  };
  EXPECT_THAT(ids(anns_), ElementsAre(anns));
  EXPECT_THAT(ids(bens_), ElementsAre(bens));
  EXPECT_THAT(ids(everybodys), ElementsAre(bens, anns));
}

TEST_F(ReachTest, WhoseNameSomebodyElseHadDoesNotReachTheirs) {
  auto old = order_of(1, {.user = "ann", .user_id = "u1"});
  auto id = place(std::move(old))->ids[0];
  EXPECT_EQ(refusal(executions_->find(id, Reach::own("u2"))), none_);
  EXPECT_EQ(refusal(executions_->find(id, anns_)), none_);
  EXPECT_TRUE(loop_.run(executions_->find(id, Reach::own("u1"))));
}

}  // namespace
}  // namespace gantry::executions
