#include "access/testing_fake.hpp"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::access {
namespace {
using std::chrono::hours;
using std::chrono::minutes;

class ManageTest : public testing::Test {
 protected:
  Access& access() { return house_.access(); }
  const Identity& owner() const { return house_.owner(); }
  Result<User> add(std::string name, Role role = Role::viewer,
                   Secret password = TestAccess::password()) {
    return house_.run(access().create_user(owner(), {std::move(name), password, role}));
  }
  SignedIn sign_in(std::string name, Secret password = TestAccess::password()) {
    return value_or_throw(house_.run(access().sign_in(std::move(name), password, "192.0.2.9")));
  }
  Result<MadeToken> make(const Identity& by, Role role, std::vector<std::string> scopes,
                         std::optional<WallTime> expires_at = {}) {
    return house_.run(access().create_token(by, {"ci", role, *Scopes::parse(scopes), expires_at}));
  }
  std::string token_of(const Identity& by, Role role = Role::viewer) {
    return std::string{make(by, role, {"executions"})->text.reveal()};
  }
  TestAccess house_;
};

TEST_F(ManageTest, UsersAreListedByName) {
  ASSERT_TRUE(add("zoe"));
  ASSERT_TRUE(add("Bob", Role::operator_));
  auto users = access().users();
  ASSERT_EQ(users.size(), 3U);
  EXPECT_EQ(users[1].name, "bob");
  EXPECT_EQ(users[1].role, Role::operator_);
  EXPECT_EQ(access().user(users[2].id)->name, "zoe");
}

TEST_F(ManageTest, UsersAreThereAfterARestart) {
  ASSERT_TRUE(add("zoe"));
  house_.restart();
  EXPECT_EQ(access().users().size(), 2U);
  EXPECT_FALSE(access().setup_needed());
}

TEST_F(ManageTest, ANameIsTakenInAnySpelling) {
  ASSERT_TRUE(add("zoe"));
  EXPECT_EQ(add("ZOE").error().code, "already_exists");
  EXPECT_EQ(add("ADA").error().kind, ErrorKind::conflict);
}

TEST_F(ManageTest, BadNamesAreRefused) {
  std::string longest(64, 'x');
  for (const auto& name : {std::string{}, std::string{"-x"}, std::string{"a b"}, longest + "x",
                           std::string{"ada\n"}, std::string{"zoë"}, std::string{"local"},
                           std::string{"System"}, std::string{"OIDC"}, std::string{"<b>"}}) {
    EXPECT_EQ(add(name).error().code, "invalid_field") << name;
  }
  EXPECT_TRUE(add(longest));
}

TEST_F(ManageTest, BadPasswordsAreRefused) {
  EXPECT_EQ(add("zoe", Role::viewer, Secret{"123456789"}).error().code, "invalid_field");
  EXPECT_EQ(add("zoe", Role::viewer, Secret{std::string(257, 'x')}).error().code, "invalid_field");
  EXPECT_EQ(add("zoe", Role::viewer, Secret{std::string(20, '\xff')}).error().code,
            "invalid_field");
  EXPECT_TRUE(add("zoe", Role::viewer, Secret{"字字字字字字字字字字"}));
}

TEST_F(ManageTest, OnlyAdminsManageUsers) {
  ASSERT_TRUE(add("zoe", Role::operator_));
  auto zoe = sign_in("zoe").identity;
  auto id = owner().user;
  EXPECT_EQ(house_.run(access().create_user(zoe, {"eve", TestAccess::password()})).error().kind,
            ErrorKind::denied);
  EXPECT_EQ(house_.run(access().remove_user(zoe, id)).error().kind, ErrorKind::denied);
  EXPECT_EQ(house_.run(access().set_role(zoe, zoe.user, Role::admin)).error().kind,
            ErrorKind::denied);
  EXPECT_EQ(house_.run(access().change_password(zoe, id, {}, TestAccess::password())).error().kind,
            ErrorKind::denied);
}

TEST_F(ManageTest, ATokenWithoutAllScopesCanNotWidenItselfThroughUsers) {
  auto zoe = add("zoe");
  auto narrow = *access().by_token(make(owner(), Role::admin, {"access"})->text.reveal());
  NewUser eve{"eve", TestAccess::password(), Role::admin};
  EXPECT_EQ(house_.run(access().create_user(narrow, eve)).error().code, "scope_missing");
  EXPECT_EQ(house_.run(access().set_role(narrow, zoe->id, Role::admin)).error().code,
            "scope_missing");
  EXPECT_EQ(house_.run(access().change_password(narrow, zoe->id, {}, TestAccess::password()))
                .error()
                .code,
            "scope_missing");
  std::vector<std::string> every{"executions", "containers", "system", "access"};
  auto whole = *access().by_token(make(owner(), Role::admin, every)->text.reveal());
  EXPECT_TRUE(house_.run(access().create_user(whole, eve)));
}

TEST_F(ManageTest, TheLastAdminStays) {
  EXPECT_EQ(house_.run(access().remove_user(owner(), owner().user)).error().code, "last_admin");
  EXPECT_EQ(house_.run(access().set_role(owner(), owner().user, Role::viewer)).error().code,
            "last_admin");
  ASSERT_TRUE(add("zoe", Role::admin));
  EXPECT_TRUE(house_.run(access().remove_user(owner(), owner().user)));
}

async::task<void> demote(Access& access, Identity by, UserId id, int& done) {
  if (co_await access.set_role(by, id, Role::viewer)) ++done;
}

async::task<int> demote_both(Access& access, Identity by, UserId first, UserId second) {
  async::TaskScope scope{co_await boost::asio::this_coro::executor};
  int done = 0;
  scope.spawn("demote", demote(access, by, first, done));
  scope.spawn("demote", demote(access, by, second, done));
  co_await scope.join();
  co_return done;
}

TEST_F(ManageTest, OfTwoAdminsDemotedAtTheSameTimeOneStays) {
  auto zoe = add("zoe", Role::admin);
  EXPECT_EQ(house_.run(demote_both(access(), owner(), owner().user, zoe->id)), 1);
}

async::task<void> promote(Access& access, Identity by, UserId id, int& done) {
  if (co_await access.set_role(by, id, Role::admin)) ++done;
}

async::task<void> remove(Access& access, Identity by, UserId id, int& done) {
  if (co_await access.remove_user(by, id)) ++done;
}

async::task<int> hand_over_and_remove(Access& access, Identity by, UserId heir) {
  async::TaskScope scope{co_await boost::asio::this_coro::executor};
  int done = 0;
  scope.spawn("promote", promote(access, by, heir, done));
  scope.spawn("demote", demote(access, by, by.user, done));
  scope.spawn("remove", remove(access, by, heir, done));
  co_await scope.join();
  co_return done;
}

TEST_F(ManageTest, OneWhoHasJustBecomeTheLastAdminStays) {
  auto zoe = add("zoe");
  EXPECT_EQ(house_.run(hand_over_and_remove(access(), owner(), zoe->id)), 2);
  EXPECT_EQ(access().user(zoe->id)->role, Role::admin);
}

TEST_F(ManageTest, ARemovedUserIsGoneWithSessionsAndTokens) {
  auto zoe = add("zoe", Role::operator_);
  auto session = sign_in("zoe");
  auto token = token_of(session.identity);
  ASSERT_TRUE(access().by_token(token));
  auto known = *access().by_token(token);
  ASSERT_TRUE(house_.run(access().remove_user(owner(), zoe->id)));
  EXPECT_FALSE(access().by_session(session.cookie.reveal()));
  EXPECT_FALSE(access().by_token(token));
  EXPECT_FALSE(access().still_valid(known));
  EXPECT_FALSE(access().still_valid(session.identity));
  house_.restart();
  EXPECT_FALSE(access().by_token(token));
  EXPECT_EQ(house_.run(access().remove_user(owner(), zoe->id)).error().code, "no_such_user");
}

TEST_F(ManageTest, AChangeOfRoleEndsSessionsAndHoldsForTokensAtOnce) {
  auto zoe = add("zoe", Role::operator_);
  auto session = sign_in("zoe");
  auto token = token_of(session.identity, Role::operator_);
  auto before = *access().by_token(token);
  EXPECT_EQ(before.role, Role::operator_);
  ASSERT_TRUE(house_.run(access().set_role(owner(), zoe->id, Role::viewer)));
  EXPECT_FALSE(access().by_session(session.cookie.reveal()));
  EXPECT_EQ(access().by_token(token)->role, Role::viewer);
  EXPECT_FALSE(access().still_valid(before));
}

TEST_F(ManageTest, WhoIsDisabledIsOutUntilEnabledAgain) {
  auto zoe = add("zoe", Role::operator_);
  auto session = sign_in("zoe");
  auto token = token_of(session.identity);
  auto known = *access().by_token(token);
  ASSERT_TRUE(house_.run(access().set_standing(owner(), zoe->id, Standing::disabled)));
  EXPECT_EQ(access().user(zoe->id)->standing, Standing::disabled);
  EXPECT_FALSE(access().by_session(session.cookie.reveal()));
  EXPECT_FALSE(access().still_valid(session.identity));
  EXPECT_EQ(access().by_token(token).error().code, "user_disabled");
  EXPECT_FALSE(access().still_valid(known));
  auto in = [&](std::string password) {
    auto came = house_.run(access().sign_in("zoe", Secret{std::move(password)}, "192.0.2.9"));
    return came ? "in" : came.error().code;
  };
  EXPECT_EQ(in("correct horse"), "user_disabled");
  EXPECT_EQ(in("a wrong horse"), "bad_credentials");
  house_.restart();
  EXPECT_EQ(access().by_token(token).error().code, "user_disabled");
  ASSERT_TRUE(house_.run(access().set_standing(owner(), zoe->id, Standing::active)));
  EXPECT_TRUE(access().by_token(token));
  EXPECT_EQ(in("correct horse"), "in");
}

TEST_F(ManageTest, TheLastAdminWhoMayComeInIsNotDisabled) {
  auto zoe = add("zoe", Role::admin);
  auto disable = [&](const UserId& id) {
    return house_.run(access().set_standing(owner(), id, Standing::disabled));
  };
  ASSERT_TRUE(disable(zoe->id));
  EXPECT_EQ(disable(owner().user).error().code, "last_admin");
  EXPECT_EQ(house_.run(access().remove_user(owner(), owner().user)).error().code, "last_admin");
  EXPECT_TRUE(house_.run(access().set_role(owner(), zoe->id, Role::viewer)));
}

TEST_F(ManageTest, AChangedPasswordEndsTheOtherSessions) {
  ASSERT_TRUE(add("zoe"));
  auto here = sign_in("zoe");
  auto there = sign_in("zoe");
  Secret next{"another password"};
  ASSERT_TRUE(house_.run(
      access().change_password(here.identity, here.identity.user, TestAccess::password(), next)));
  EXPECT_TRUE(access().by_session(here.cookie.reveal()));
  EXPECT_FALSE(access().by_session(there.cookie.reveal()));
  EXPECT_FALSE(house_.run(access().sign_in("zoe", TestAccess::password(), "192.0.2.9")));
  house_.restart();
  EXPECT_FALSE(access().by_session(there.cookie.reveal()));
  EXPECT_NO_THROW(sign_in("zoe", next));
}

TEST_F(ManageTest, OnesOwnPasswordTakesTheCurrentOneAndTenGuesses) {
  auto change = [&] {
    return house_.run(access().change_password(owner(), owner().user, Secret{"a wrong one"},
                                               Secret{"another password"}));
  };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(change().error().code, "bad_credentials");
  EXPECT_EQ(change().error().code, "too_many_attempts");
}

TEST_F(ManageTest, AnAdminSetsAnotherPassword) {
  auto zoe = add("zoe");
  Secret next{"another password"};
  ASSERT_TRUE(house_.run(access().change_password(owner(), zoe->id, {}, next)));
  EXPECT_NO_THROW(sign_in("zoe", next));
}

TEST_F(ManageTest, ATokenCarriesItsScopesAndRole) {
  auto made = make(owner(), Role::operator_, {"executions", "system"});
  ASSERT_TRUE(made);
  EXPECT_THAT(std::string{made->text.reveal()}, testing::MatchesRegex("gantry_[0-9a-z]{50}"));
  auto identity = access().by_token(made->text.reveal());
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->name, "ada");
  EXPECT_EQ(identity->role, Role::operator_);
  EXPECT_EQ(identity->how, How::token);
  EXPECT_THAT(identity->scopes.words(), testing::ElementsAre("executions", "system"));
  house_.restart();
  EXPECT_EQ(access().by_token(made->text.reveal())->scopes, identity->scopes);
}

TEST_F(ManageTest, NoOtherTextIsAToken) {
  auto token = token_of(owner());
  EXPECT_FALSE(access().by_token(""));
  EXPECT_FALSE(access().by_token("gantry_"));
  EXPECT_FALSE(access().by_token(token.substr(0, token.size() - 1)));
  EXPECT_FALSE(access().by_token(token + "0"));
  EXPECT_FALSE(access().by_token("GANTRY_" + token.substr(7)));
  EXPECT_FALSE(access().by_token("gantry_" + std::string(50, '0')));
  EXPECT_EQ(access().by_token("x").error().code, "bad_token");
  EXPECT_FALSE(access().by_session(token));
}

TEST_F(ManageTest, ATokenEndsWhenItExpires) {
  auto made = make(owner(), Role::viewer, {"executions"}, house_.now() + hours{1});
  house_.pass(hours{1} - Milliseconds{1});
  EXPECT_TRUE(access().by_token(made->text.reveal()));
  house_.pass(Milliseconds{1});
  EXPECT_FALSE(access().by_token(made->text.reveal()));
}

TEST_F(ManageTest, ATokenIsNeverStrongerThanWhoMakesIt) {
  ASSERT_TRUE(add("zoe", Role::operator_));
  auto zoe = sign_in("zoe").identity;
  EXPECT_EQ(make(zoe, Role::admin, {"executions"}).error().code, "token_too_strong");
  auto narrow = *access().by_token(token_of(zoe));
  EXPECT_EQ(make(narrow, Role::viewer, {"access"}).error().code, "token_too_strong");
  EXPECT_EQ(make(narrow, Role::operator_, {"executions"}).error().code, "token_too_strong");
}

TEST_F(ManageTest, ATokenDoesNotOutliveTheOneThatMakesIt) {
  auto ends = house_.now() + hours{1};
  auto text = make(owner(), Role::admin, {"access"}, ends)->text;
  auto brief = *access().by_token(text.reveal());
  EXPECT_EQ(make(brief, Role::viewer, {"access"}, ends + Milliseconds{1}).error().code,
            "token_too_strong");
  EXPECT_EQ(make(brief, Role::viewer, {"access"})->token.expires_at, ends);
  EXPECT_EQ(make(brief, Role::viewer, {"access"}, ends - hours{1} / 2)->token.expires_at,
            ends - hours{1} / 2);
  auto lasting = *access().by_token(make(owner(), Role::admin, {"access"})->text.reveal());
  EXPECT_EQ(make(lasting, Role::viewer, {"access"})->token.expires_at, std::nullopt);
}

TEST_F(ManageTest, ATokenKeepsItsLimits) {
  TokenLimits limits{.policy = R"({"pids":{"max":8}})", .executions_max = 2, .queue_max = 5};
  auto made = house_.run(
      access().create_token(owner(), {"ci", Role::admin, Scopes::all(), std::nullopt, limits}));
  std::string text{made->text.reveal()};
  EXPECT_EQ(access().by_token(text)->limits, limits);
  house_.restart();
  EXPECT_EQ(access().by_token(text)->limits, limits);
  EXPECT_EQ(access().tokens(owner().user).at(0).limits, limits);
}

TEST_F(ManageTest, ATokenWithLimitsHandsOutNothingWithoutThem) {
  auto zoe = add("zoe");
  auto made = house_.run(access().create_token(
      owner(), {"ci", Role::admin, Scopes::all(), std::nullopt, {.executions_max = 1}}));
  auto limited = *access().by_token(made->text.reveal());
  EXPECT_EQ(make(limited, Role::viewer, {"executions"}).error().code, "token_limited");
  NewUser eve{"eve", TestAccess::password(), Role::viewer};
  EXPECT_EQ(house_.run(access().create_user(limited, eve)).error().code, "token_limited");
  EXPECT_EQ(house_.run(access().set_role(limited, zoe->id, Role::admin)).error().code,
            "token_limited");
  EXPECT_EQ(house_.run(access().change_password(limited, zoe->id, {}, TestAccess::password()))
                .error()
                .code,
            "token_limited");
}

TEST_F(ManageTest, ATokenNeedsANameAScopeAndAFuture) {
  EXPECT_EQ(make(owner(), Role::viewer, {}).error().code, "invalid_field");
  EXPECT_EQ(make(owner(), Role::viewer, {"system"}, house_.now()).error().code, "invalid_field");
  auto named = [&](std::string name) {
    return house_.run(
        access().create_token(owner(), {std::move(name), Role::viewer, Scopes::all(), {}}));
  };
  EXPECT_EQ(named("").error().code, "invalid_field");
  EXPECT_EQ(named("two\nlines").error().code, "invalid_field");
  EXPECT_EQ(named(std::string(65, 'x')).error().code, "invalid_field");
}

TEST_F(ManageTest, ARevokedTokenIsDeadForGood) {
  auto made = make(owner(), Role::viewer, {"executions"});
  ASSERT_TRUE(house_.run(access().revoke_token(owner(), made->token.id)));
  EXPECT_FALSE(access().by_token(made->text.reveal()));
  EXPECT_TRUE(access().tokens(owner().user).empty());
  house_.restart();
  EXPECT_FALSE(access().by_token(made->text.reveal()));
}

TEST_F(ManageTest, AnotherUsersTokenIsNotThere) {
  auto made = make(owner(), Role::viewer, {"executions"});
  ASSERT_TRUE(add("zoe", Role::operator_));
  auto zoe = sign_in("zoe").identity;
  EXPECT_EQ(house_.run(access().revoke_token(zoe, made->token.id)).error().code, "no_such_token");
  EXPECT_TRUE(access().tokens(zoe.user).empty());
}

TEST_F(ManageTest, TheListShowsWhenATokenWasUsedButNotItsText) {
  auto made = make(owner(), Role::viewer, {"executions"});
  house_.pass(hours{1});
  ASSERT_TRUE(access().by_token(made->text.reveal()));
  auto used = house_.now();
  house_.pass(Seconds{30});
  ASSERT_TRUE(access().by_token(made->text.reveal()));
  house_.run(access().record({.actor = "test", .action = "lets.writes.end"}));
  house_.restart();
  auto listed = access().tokens(owner().user).at(0);
  EXPECT_EQ(listed.last_used_at, used);
  EXPECT_TRUE(made->text.reveal().starts_with(listed.hint));
  EXPECT_EQ(listed.hint.size(), 15U);
}

TEST_F(ManageTest, TheLocalTokenIsAdminUntilTheProcessEnds) {
  std::string text{access().local_token().reveal()};
  auto identity = access().by_token(text);
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->how, How::local);
  EXPECT_EQ(identity->role, Role::admin);
  EXPECT_TRUE(access().still_valid(*identity));
  EXPECT_EQ(make(*identity, Role::viewer, {"system"}).error().code, "no_user");
  house_.restart();
  EXPECT_FALSE(access().by_token(text));
}

TEST_F(ManageTest, NoFileHoldsASecret) {
  if (!house_.is_in_folder()) GTEST_SKIP() << "PostgreSQL keeps its files elsewhere";
  std::vector<std::string> secrets{"correct horse", "another password",
                                   std::string{access().local_token().reveal()}};
  ASSERT_TRUE(add("zoe", Role::viewer, Secret{"another password"}));
  auto session = sign_in("zoe", Secret{"another password"});
  secrets.emplace_back(session.cookie.reveal());
  secrets.push_back(token_of(owner()));
  (void)house_.run(access().sign_in("zoe", Secret{"a wrong password"}, "192.0.2.9"));
  secrets.emplace_back("a wrong password");
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator{house_.folder() / "data"}) {
    std::ifstream stream{entry.path(), std::ios::binary};
    std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
    ++files;
    for (const auto& secret : secrets) {
      EXPECT_EQ(bytes.find(secret), std::string::npos) << entry.path();
    }
  }
  EXPECT_GE(files, 3);  // the database, its log, the lock
}

}  // namespace
}  // namespace gantry::access
