#include "executions/admission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::executions {
namespace {

using Place = Admission::Place;

Ticket ticket(const std::string& id, const std::string& user, const std::string& token = {}) {
  return {.id = sandbox::ExecutionId{id}, .caller = {user, token}, .weight = Bytes{10}};
}

Admission::Settings settings(Admission::Bounds all) {
  return {.all = all, .user = {}, .token = {}, .queued_bytes_max = Bytes{1'000}};
}

std::string next_of(Admission& admission) {
  auto next = admission.next();
  return next ? next->id.text() : "nobody";
}

void queue(Admission& admission, const Ticket& ticket) {
  ASSERT_EQ(admission.enter(ticket).value(), Place::queued);
  admission.line_up(ticket);
}

TEST(Admission, LetsRunWhatMayAndTheRestWait) {
  Admission admission{settings({.running_max = 1, .queued_max = 1})};
  EXPECT_EQ(admission.enter(ticket("a", "ann")).value(), Place::running);
  EXPECT_EQ(admission.enter(ticket("b", "ann")).value(), Place::queued);
  EXPECT_EQ(admission.enter(ticket("c", "ben")).error().code, "queue_full");
  EXPECT_EQ(admission.running(), 1U);
  EXPECT_EQ(admission.queued(), 1U);
}

TEST(Admission, BoundsWhatAUserRunsAndWaitsFor) {
  auto bounded = settings({.running_max = 9, .queued_max = 9});
  bounded.user = {.running_max = 1, .queued_max = 1};
  Admission admission{bounded};
  EXPECT_EQ(admission.enter(ticket("a", "ann")).value(), Place::running);
  EXPECT_EQ(admission.enter(ticket("b", "ann")).value(), Place::queued);
  auto refused = admission.enter(ticket("c", "ann"));
  EXPECT_EQ(refused.error().code, "user_queue_full");
  EXPECT_EQ(refused.error().kind, ErrorKind::exhausted);
  EXPECT_EQ(admission.enter(ticket("d", "ben")).value(), Place::running);
}

TEST(Admission, BoundsWhatATokenRunsAndWaitsFor) {
  auto bounded = settings({.running_max = 9, .queued_max = 9});
  bounded.token = {.running_max = 1, .queued_max = 1};
  Admission admission{bounded};
  EXPECT_EQ(admission.enter(ticket("a", "ann", "t")).value(), Place::running);
  EXPECT_EQ(admission.enter(ticket("b", "ann", "t")).value(), Place::queued);
  EXPECT_EQ(admission.enter(ticket("c", "ann", "t")).error().code, "token_queue_full");
  EXPECT_EQ(admission.enter(ticket("d", "ann", "u")).value(), Place::running);
  EXPECT_EQ(admission.enter(ticket("e", "ann")).value(), Place::running);
}

TEST(Admission, ATokenMayHaveLessOfItsOwn) {
  auto bounded = settings({.running_max = 9, .queued_max = 9});
  bounded.token = {.running_max = 2, .queued_max = 2};
  Admission admission{bounded};
  auto few = [](const std::string& id) {
    auto one = ticket(id, "ann", "t");
    one.caller.running_max = 1;
    one.caller.queued_max = 1;
    return one;
  };
  auto first = few("a");
  EXPECT_EQ(admission.enter(first).value(), Place::running);
  queue(admission, few("b"));
  EXPECT_EQ(admission.enter(few("c")).error().code, "token_queue_full");
  EXPECT_EQ(next_of(admission), "nobody");
  admission.ended(first, Microseconds{1});
  EXPECT_EQ(next_of(admission), "b");
  auto many = ticket("d", "ann", "u");
  many.caller.running_max = 5;
  EXPECT_EQ(admission.enter(many).value(), Place::running);
  EXPECT_EQ(admission.enter(many).value(), Place::running);
  EXPECT_EQ(admission.enter(many).value(), Place::queued);
}

TEST(Admission, LetsUsersTakeTurnsAndTheOldestOfEachGoFirst) {
  Admission admission{settings({.running_max = 1, .queued_max = 9})};
  auto first = ticket("first", "ann");
  ASSERT_EQ(admission.enter(first).value(), Place::running);
  for (const auto* id : {"a1", "a2", "a3"}) queue(admission, ticket(id, "ann"));
  for (const auto* id : {"b1", "b2"}) queue(admission, ticket(id, "ben"));
  std::vector<std::string> order;
  admission.ended(first, Microseconds{1});
  for (int i = 0; i < 5; ++i) {
    auto next = admission.next().value();
    order.push_back(next.id.text());
    admission.ended(next, Microseconds{1});
  }
  EXPECT_THAT(order, testing::ElementsAre("a1", "b1", "a2", "b2", "a3"));
  EXPECT_EQ(admission.running(), 0U);
  EXPECT_EQ(admission.queued(), 0U);
}

TEST(Admission, PassesOverWhoRunsAsMuchAsTheyMay) {
  auto bounded = settings({.running_max = 2, .queued_max = 9});
  bounded.user.running_max = 1;
  Admission admission{bounded};
  ASSERT_EQ(admission.enter(ticket("a", "ann")).value(), Place::running);
  queue(admission, ticket("b", "ann"));
  EXPECT_EQ(next_of(admission), "nobody");
  ASSERT_EQ(admission.enter(ticket("c", "ben")).value(), Place::running);
  admission.ended(ticket("c", "ben"), Microseconds{1});
  EXPECT_EQ(next_of(admission), "nobody");
  admission.ended(ticket("a", "ann"), Microseconds{1});
  EXPECT_EQ(next_of(admission), "b");
}

TEST(Admission, WhoLeavesTheLineMakesRoom) {
  Admission admission{settings({.running_max = 1, .queued_max = 1})};
  ASSERT_TRUE(admission.enter(ticket("a", "ann")));
  queue(admission, ticket("b", "ann"));
  EXPECT_TRUE(admission.leave(ticket("b", "ann")));
  EXPECT_FALSE(admission.leave(ticket("b", "ann")));
  EXPECT_EQ(admission.enter(ticket("c", "ben")).value(), Place::queued);
}

TEST(Admission, WhatIsGivenUpMakesRoom) {
  Admission admission{settings({.running_max = 1, .queued_max = 1})};
  auto first = admission.enter(ticket("a", "ann")).value();
  auto second = admission.enter(ticket("b", "ann")).value();
  admission.give_up(ticket("a", "ann"), first);
  admission.give_up(ticket("b", "ann"), second);
  EXPECT_EQ(admission.enter(ticket("c", "ann")).value(), Place::running);
  EXPECT_EQ(admission.enter(ticket("d", "ann")).value(), Place::queued);
}

TEST(Admission, BoundsTheBytesThatWait) {
  auto bounded = settings({.running_max = 1, .queued_max = 9});
  bounded.queued_bytes_max = Bytes{19};
  Admission admission{bounded};
  ASSERT_TRUE(admission.enter(ticket("a", "ann")));
  ASSERT_TRUE(admission.enter(ticket("b", "ann")));
  EXPECT_EQ(admission.enter(ticket("c", "ann")).error().code, "queue_full");
}

TEST(Admission, WhatWasPromisedWaitsWhateverTheBounds) {
  Admission admission{settings({.running_max = 1, .queued_max = 1})};
  admission.restore(ticket("a", "ann"));
  admission.restore(ticket("b", "ann"));
  EXPECT_EQ(admission.queued(), 2U);
  EXPECT_EQ(next_of(admission), "a");
}

TEST(Admission, TheTimeToComeBackGrowsWithTheQueueAndTheRuns) {
  Admission admission{settings({.running_max = 1, .queued_max = 99})};
  EXPECT_EQ(admission.retry_after(), Seconds{1});
  ASSERT_TRUE(admission.enter(ticket("a", "ann")));
  admission.ended(ticket("a", "ann"), Seconds{4});
  EXPECT_EQ(admission.retry_after(), Seconds{5});
  for (int i = 0; i < 17; ++i) admission.restore(ticket("q", "ann"));
  EXPECT_EQ(admission.retry_after(), Seconds{9});
  for (int i = 0; i < 500; ++i) admission.restore(ticket("q", "ann"));
  EXPECT_EQ(admission.retry_after(), Seconds{60});
}

}  // namespace
}  // namespace gantry::executions
