#include "access/audit_store.hpp"

#include "access/testing_fake.hpp"
#include "base/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::access {
namespace {

class AuditStoreTest : public testing::Test {
 protected:
  Access& access() { return house_.access(); }
  void record(std::string action) {
    house_.run(access().record({.actor = "ada", .action = std::move(action), .outcome = "ok"}));
  }
  void record_ten() {
    for (int i = 0; i < 10; ++i) record("thing." + std::to_string(i));
  }
  void execute(std::string sql) {
    house_.run(storage::transact(
        house_.database(), [sql](storage::Transaction& transaction) { transaction.execute(sql); }));
  }
  AuditCheck verify() { return house_.run(access().verify_audit()); }
  AuditPage page(int limit, std::string cursor = {}) {
    return value_or_throw(house_.run(access().audit_page(limit, std::move(cursor))));
  }
  TestAccess house_{TestAccess::Owner::absent};
};

TEST_F(AuditStoreTest, AnUntouchedChainIsInOrder) {
  record_ten();
  auto check = verify();
  EXPECT_EQ(check.records, 10);
  EXPECT_EQ(check.broken_at, std::nullopt) << check.reason;
}

TEST_F(AuditStoreTest, AnEmptyChainIsInOrder) { EXPECT_EQ(verify().broken_at, std::nullopt); }

TEST_F(AuditStoreTest, AnAlteredRecordBreaksTheChainThere) {
  record_ten();
  execute("UPDATE audit SET actor = 'eve' WHERE sequence = 4");
  EXPECT_EQ(verify().broken_at, 4);
}

TEST_F(AuditStoreTest, EveryColumnIsUnderTheHash) {
  for (std::string column : {"at", "actor", "action", "target", "outcome", "details"}) {
    TestAccess house{TestAccess::Owner::absent};
    house.run(house.access().record({.actor = "ada", .action = "thing.do", .outcome = "ok"}));
    house.run(storage::transact(house.database(), [&](storage::Transaction& transaction) {
      transaction.execute("UPDATE audit SET " + column + " = 1");
    }));
    EXPECT_EQ(house.run(house.access().verify_audit()).broken_at, 1) << column;
  }
}

TEST_F(AuditStoreTest, RecordsAreReadOnwards) {
  record_ten();
  auto all = house_.run(access().audit_after(0));
  ASSERT_EQ(all.size(), 10U);
  EXPECT_EQ(all.front().entry.action, "thing.0");
  EXPECT_EQ(all[4].previous_hash, all[3].hash);
  auto rest = house_.run(access().audit_after(8));
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest.front().sequence, 9);
  EXPECT_TRUE(house_.run(access().audit_after(10)).empty());
}

TEST_F(AuditStoreTest, AHostsNameFindsWhatWasDoneOnIt) {
  for (std::string target : {"alpha", "alpha/web", "alphabet/web", "beta/alpha"}) {
    house_.run(access().record({.actor = "ada", .action = "do", .target = target}));
  }
  auto found = value_or_throw(house_.run(access().audit_page(10, "", {.target = "alpha"})));
  ASSERT_EQ(found.items.size(), 2U);
  EXPECT_EQ(found.items[0].entry.target, "alpha/web");
}

TEST_F(AuditStoreTest, ARemovedRecordBreaksTheChainThere) {
  record_ten();
  execute("DELETE FROM audit WHERE sequence = 5");
  EXPECT_EQ(verify().broken_at, 5);
}

TEST_F(AuditStoreTest, ACutOffEndIsNoticed) {
  record_ten();
  execute("DELETE FROM audit WHERE sequence > 7");
  EXPECT_EQ(verify().broken_at, 8);
}

TEST_F(AuditStoreTest, MovingABorderBetweenFieldsIsNoticed) {
  house_.run(access().record({.actor = "ab", .action = "c", .outcome = "ok"}));
  execute("UPDATE audit SET actor = 'a', action = 'bc'");
  EXPECT_EQ(verify().broken_at, 1);
}

TEST_F(AuditStoreTest, AChainLongerThanOneChunkIsVerified) {
  house_.run(storage::transact(house_.database(), [](storage::Transaction& transaction) {
    for (int i = 0; i < 2'500; ++i) {
      audit::append(transaction, {.actor = "ada", .action = "thing.do"}, WallTime{});
    }
  }));
  EXPECT_EQ(verify().records, 2'500);
  execute("UPDATE audit SET actor = 'eve' WHERE sequence = 2100");
  EXPECT_EQ(verify().broken_at, 2'100);
}

TEST_F(AuditStoreTest, AnEntryOfAChangeThatFailsIsNotThere) {
  auto outcome = house_.run(
      storage::transact(house_.database(), [](storage::Transaction& transaction) -> Result<> {
        audit::append(transaction, {.actor = "ada", .action = "thing.do"}, WallTime{});
        return fail(ErrorKind::conflict, "no", "cannot do that");
      }));
  EXPECT_FALSE(outcome);
  EXPECT_EQ(verify().records, 0);
}

TEST_F(AuditStoreTest, ThePagesGoBackInTime) {
  record_ten();
  auto first = page(4);
  ASSERT_EQ(first.items.size(), 4U);
  EXPECT_EQ(first.items[0].entry.action, "thing.9");
  auto second = page(4, *first.next);
  EXPECT_EQ(second.items[0].entry.action, "thing.5");
  auto third = page(4, *second.next);
  EXPECT_EQ(third.items.size(), 2U);
  EXPECT_EQ(third.next, std::nullopt);
}

TEST_F(AuditStoreTest, AFilterLeavesWhatFitsInItsPages) {
  record_ten();
  record("user.create");
  record("user");
  record("users.all");
  house_.run(
      access().record({.actor = "bob", .action = "user.remove", .target = "eve", .outcome = "ok"}));
  auto found = [&](const AuditFilter& filter, std::string cursor = {}) {
    std::string actions;
    auto page = value_or_throw(house_.run(access().audit_page(2, std::move(cursor), filter)));
    for (const auto& item : page.items) actions += item.entry.action + " ";
    return actions + page.next.value_or("end");
  };
  EXPECT_EQ(found({.action = "user"}), "user.remove user 12");
  EXPECT_EQ(found({.action = "user"}, "12"), "user.create end");
  EXPECT_EQ(found({.action = "user.create"}), "user.create end");
  EXPECT_EQ(found({.actor = "bob"}), "user.remove end");
  EXPECT_EQ(found({.target = "eve"}), "user.remove end");
  EXPECT_EQ(found({.actor = "ada", .action = "user.remove"}), "end");
  EXPECT_EQ(found({.action = "%"}), "end");
  EXPECT_EQ(found({.actor = "bob", .since = house_.now()}), "user.remove end");
  EXPECT_EQ(found({.actor = "bob", .since = house_.now() + Milliseconds{1}}), "end");
  EXPECT_EQ(found({.actor = "bob", .until = house_.now()}), "end");
}

TEST_F(AuditStoreTest, AForeignCursorIsRefused) {
  for (std::string cursor : {"x", "-1", "0", "1x", "99999999999999999999"}) {
    EXPECT_EQ(house_.run(access().audit_page(10, cursor)).error().code, "invalid_cursor");
  }
}

TEST_F(AuditStoreTest, TextsCanNotForgeLinesNorFillTheDisk) {
  house_.run(access().record(
      {.actor = "eve\nada", .action = "a", .target = std::string(5'000, 'x'), .outcome = "ok"}));
  auto entry = page(1).items[0].entry;
  EXPECT_EQ(entry.actor, "eve\\nada");
  EXPECT_LT(entry.target.size(), 300U);
  EXPECT_EQ(verify().broken_at, std::nullopt);
}

TEST_F(AuditStoreTest, DetailsAreNeverCutInTheMiddle) {
  auto kept = [&](std::string details) {
    house_.run(access().record({.actor = "ada", .action = "a", .details = std::move(details)}));
    return page(1).items[0].entry.details;
  };
  auto whole = json::serialize(json::Object{{"note", std::string(20'000, 'x')}, {"to", "ssh://b"}});
  EXPECT_EQ(kept(whole), whole);
  json::Object noted{{"note", std::string(40'000, 'x')}, {"to", "ssh://b"}};
  EXPECT_EQ(kept(json::serialize(noted)), R"({"note":{"bytes":40002},"to":"ssh://b"})");
  json::Object many;
  for (int i = 0; i < 10'000; ++i) many[std::to_string(i)] = i;
  auto size = json::serialize(many).size();
  EXPECT_EQ(kept(json::serialize(many)), "{\"details_bytes\":" + std::to_string(size) + "}");
  EXPECT_EQ(verify().broken_at, std::nullopt);
}

TEST(AuditTrail, WhatIsDoneToAccessIsInTheLog) {
  TestAccess house;
  auto& access = house.access();
  auto zoe =
      house.run(access.create_user(house.owner(), {"zoe", TestAccess::password(), Role::viewer}));
  (void)house.run(access.set_role(house.owner(), zoe->id, Role::operator_));
  auto token =
      house.run(access.create_token(house.owner(), {"ci", Role::viewer, Scopes::all(), {}}));
  (void)house.run(access.revoke_token(house.owner(), token->token.id));
  (void)house.run(access.remove_user(house.owner(), zoe->id));
  (void)house.run(access.sign_in("mallory", Secret{"guess guess"}, "192.0.2.66"));
  house.run(access.sign_out(house.owner()));
  std::vector<std::string> found;
  auto page = value_or_throw(house.run(access.audit_page(100, {})));
  for (const auto& item : page.items) {
    found.push_back(item.entry.actor + " " + item.entry.action + " " + item.entry.outcome);
  }
  EXPECT_THAT(found, testing::ElementsAre(
                         "ada session.end ok", "mallory session.create bad_credentials",
                         "ada user.remove ok", "ada token.revoke ok", "ada token.create ok",
                         "ada user.set_role ok", "ada user.create ok", "ada session.create ok",
                         "ada owner.create ok"));
  EXPECT_EQ(house.run(access.verify_audit()).broken_at, std::nullopt);
}

}  // namespace
}  // namespace gantry::access
