#include "access/testing_fake.hpp"

#include <gtest/gtest.h>

namespace gantry::access {
namespace {

using Groups = std::vector<std::string>;

class GrantsTest : public testing::Test {
 protected:
  GrantsTest() { name_hosts(); }

  Access& access() { return house_.access(); }
  Identity add(std::string name, Role role) {
    auto made = house_.run(
        access().create_user(house_.owner(), {std::move(name), TestAccess::password(), role}));
    return sign_in(value_or_throw(std::move(made)).name);
  }
  Identity sign_in(std::string name) {
    return value_or_throw(
               house_.run(access().sign_in(std::move(name), TestAccess::password(), "192.0.2.9")))
        .identity;
  }
  Result<> set(const Identity& who, std::vector<Grant> grants) {
    return house_.run(access().set_grants(house_.owner(), who.user, std::move(grants)));
  }
  static Grant on(std::string host, Role role = Role::viewer) {
    return {.group = {}, .host = std::move(host), .project = {}, .role = role, .extras = {}};
  }
  std::optional<Role> role_on(const Identity& who, std::string_view host) {
    return access().rights(who).role_on(host, Groups{}, "");
  }
  /// Hosts by id, as a fleet has them.
  void name_hosts() {
    access().name_hosts({.name_of = [this](const std::string& id) -> std::optional<std::string> {
                           auto found = hosts_.find(id);
                           if (found == hosts_.end()) return std::nullopt;
                           return found->second;
                         },
                         .id_of = [this](const std::string& name) -> std::optional<std::string> {
                           for (const auto& [id, known] : hosts_) {
                             if (known == name) return id;
                           }
                           return std::nullopt;
                         }});
  }

  /// A token with these grants, as it would ask.
  Identity token_of(const Identity& by, std::vector<Grant> grants) {
    auto made = house_.run(access().create_token(
        by, {"ci", Role::operator_, scopes_, std::nullopt, TokenLimits{}, std::move(grants)}));
    return value_or_throw(access().by_token(value_or_throw(std::move(made)).text.reveal()));
  }

  Scopes scopes_ = *Scopes::parse(std::vector<std::string>{"containers", "system"});
  TestAccess house_;
  std::map<std::string, std::string> hosts_{{"01a", "alpha"}, {"01b", "beta"}};
};

TEST_F(GrantsTest, WithoutGrantsTheRoleHoldsEverywhere) {
  auto bob = add("bob", Role::operator_);
  EXPECT_EQ(role_on(bob, "alpha"), Role::operator_);
  EXPECT_FALSE(access().rights(bob).restricted());
}

TEST_F(GrantsTest, GrantsHoldFromTheNextRequestOnAndUntilTheyAreLifted) {
  auto bob = add("bob", Role::operator_);
  ASSERT_TRUE(set(bob, {on("alpha")}));
  EXPECT_EQ(role_on(bob, "alpha"), Role::viewer);
  EXPECT_EQ(role_on(bob, "beta"), std::nullopt);
  ASSERT_TRUE(set(bob, {}));
  EXPECT_EQ(role_on(bob, "beta"), Role::operator_);
}

TEST_F(GrantsTest, GrantsAreThereAfterARestart) {
  auto bob = add("bob", Role::operator_);
  std::vector<Grant> grants{on("beta", Role::operator_),
                            {.group = "prod",
                             .host = {},
                             .project = "web",
                             .role = Role::viewer,
                             .extras = {Extra::recordings, Extra::unmask}}};
  ASSERT_TRUE(set(bob, grants));
  house_.restart();
  name_hosts();
  EXPECT_EQ(access().grants(bob.user), grants);
  EXPECT_EQ(role_on(bob, "alpha"), std::nullopt);
}

TEST_F(GrantsTest, AGrantFollowsItsHostAndNotTheName) {
  auto bob = add("bob", Role::viewer);
  ASSERT_TRUE(set(bob, {on("alpha")}));
  hosts_["01a"] = "gamma";
  hosts_["01c"] = "alpha";
  EXPECT_EQ(role_on(bob, "gamma"), Role::viewer);
  EXPECT_EQ(role_on(bob, "alpha"), std::nullopt);
}

TEST_F(GrantsTest, TheGrantOfAHostThatIsGoneStillRestricts) {
  auto bob = add("bob", Role::viewer);
  ASSERT_TRUE(set(bob, {on("alpha")}));
  hosts_.erase("01a");
  EXPECT_EQ(role_on(bob, "beta"), std::nullopt);
  EXPECT_TRUE(access().rights(bob).restricted());
  ASSERT_EQ(access().grants(bob.user).size(), 1U);
  EXPECT_EQ(access().grants(bob.user)[0].host, "");
}

TEST_F(GrantsTest, AnAdminStaysOneEverywhere) {
  auto boss = add("boss", Role::admin);
  ASSERT_TRUE(set(boss, {on("alpha")}));
  EXPECT_EQ(role_on(boss, "beta"), Role::admin);
  auto by_token = value_or_throw(
      house_.run(access().create_token(boss, {"ci", Role::viewer, Scopes::all(), std::nullopt})));
  auto token = value_or_throw(access().by_token(by_token.text.reveal()));
  EXPECT_EQ(role_on(token, "beta"), Role::viewer);
}

TEST_F(GrantsTest, ATokenHasItsUsersGrants) {
  auto bob = add("bob", Role::operator_);
  auto made = value_or_throw(
      house_.run(access().create_token(bob, {"ci", Role::viewer, Scopes::all(), std::nullopt})));
  auto token = value_or_throw(access().by_token(made.text.reveal()));
  ASSERT_TRUE(set(bob, {on("alpha", Role::operator_)}));
  EXPECT_EQ(role_on(token, "alpha"), Role::viewer);
  EXPECT_EQ(role_on(token, "beta"), std::nullopt);
}

TEST_F(GrantsTest, ATokenHasNoMoreThanItsOwnGrantsAndItsUsers) {
  auto bob = add("bob", Role::operator_);
  auto token = token_of(bob, {on("alpha", Role::operator_), on("beta")});
  EXPECT_EQ(role_on(token, "alpha"), Role::operator_);
  EXPECT_EQ(role_on(token, "beta"), Role::viewer);
  EXPECT_EQ(role_on(token, "gamma"), std::nullopt);
  EXPECT_EQ(role_on(bob, "gamma"), Role::operator_);
  ASSERT_TRUE(set(bob, {on("beta", Role::operator_), on("alpha")}));
  EXPECT_EQ(role_on(token, "alpha"), Role::viewer);
  EXPECT_EQ(role_on(token, "beta"), Role::viewer);
  ASSERT_TRUE(set(bob, {on("beta")}));
  EXPECT_EQ(role_on(token, "alpha"), std::nullopt);
}

TEST_F(GrantsTest, AnAdminsTokenHasWhatItsGrantsGive) {
  auto every = Grant{.group = std::string{every_group},
                     .host = {},
                     .project = "shop",
                     .role = Role::viewer,
                     .extras = {Extra::unmask}};
  auto token = token_of(house_.owner(), {every});
  EXPECT_EQ(role_on(token, "alpha"), std::nullopt);
  auto rights = access().rights(token);
  EXPECT_EQ(rights.role_on("alpha", Groups{}, "shop"), Role::viewer);
  EXPECT_TRUE(rights.has(Extra::unmask, "alpha", Groups{}, "shop"));
  EXPECT_FALSE(rights.has(Extra::recordings, "alpha", Groups{}, "shop"));
  auto bob = add("bob", Role::operator_);
  EXPECT_FALSE(
      access().rights(token_of(bob, {every})).has(Extra::unmask, "alpha", Groups{}, "shop"));
}

TEST_F(GrantsTest, ATokensGrantsAreThereAfterARestartAndFollowTheirHosts) {
  auto bob = add("bob", Role::operator_);
  auto token = token_of(bob, {on("alpha"), {.group = "prod", .project = "shop"}});
  house_.restart();
  name_hosts();
  EXPECT_EQ(role_on(token, "alpha"), Role::viewer);
  EXPECT_EQ(access().rights(token).role_on("beta", Groups{"prod"}, "shop"), Role::viewer);
  hosts_["01a"] = "gamma";
  EXPECT_EQ(access().grants(TokenId{token.credential})[0].host, "gamma");
  EXPECT_EQ(role_on(token, "alpha"), std::nullopt);
  hosts_.erase("01a");
  EXPECT_EQ(access().grants(TokenId{token.credential})[0].host, "");
  EXPECT_EQ(role_on(token, "gamma"), std::nullopt);
}

TEST_F(GrantsTest, ATokenThatIsRevokedSeesNothing) {
  auto token = token_of(house_.owner(), {on("alpha")});
  auto plain = token_of(house_.owner(), {});
  EXPECT_FALSE(access().rights(plain).restricted());
  for (const auto& who : {token, plain}) {
    ASSERT_TRUE(house_.run(access().revoke_token(house_.owner(), TokenId{who.credential})));
    EXPECT_EQ(role_on(who, "alpha"), std::nullopt);
    EXPECT_TRUE(access().rights(who).restricted());
  }
  EXPECT_TRUE(access().grants(TokenId{token.credential}).empty());
  house_.restart();
  EXPECT_TRUE(access().grants(TokenId{token.credential}).empty());
}

TEST_F(GrantsTest, WhatATokenWithGrantsCanNotBe) {
  auto refusal = [&](Role role, Scopes scopes, std::vector<Grant> grants) {
    return house_
        .run(access().create_token(
            house_.owner(), {"ci", role, scopes, std::nullopt, TokenLimits{}, std::move(grants)}))
        .error()
        .message;
  };
  EXPECT_NE(refusal(Role::admin, scopes_, {on("alpha")}).find("'role'"), std::string::npos);
  EXPECT_NE(refusal(Role::executor, scopes_, {on("alpha")}).find("'role'"), std::string::npos);
  EXPECT_NE(refusal(Role::viewer, Scopes::all(), {on("alpha")}).find("'scopes'"),
            std::string::npos);
  EXPECT_NE(refusal(Role::viewer, scopes_, {on("delta")}).find("'grants[0].host'"),
            std::string::npos);
  EXPECT_NE(refusal(Role::viewer, scopes_, {on("alpha", Role::operator_)}).find("'grants[0].role'"),
            std::string::npos);
  EXPECT_NE(refusal(Role::viewer, scopes_, std::vector<Grant>(21, on("alpha"))).find("'grants'"),
            std::string::npos);
  EXPECT_TRUE(access().tokens(house_.owner().user).empty());
}

TEST_F(GrantsTest, ATokenWithGrantsMakesNoOther) {
  auto token = token_of(house_.owner(), {on("alpha")});
  NewToken wanted{"more", Role::viewer, scopes_, std::nullopt};
  EXPECT_EQ(house_.run(access().create_token(token, wanted)).error().code, "token_limited");
}

TEST_F(GrantsTest, WhatIsNoGrantIsRefusedByField) {
  auto bob = add("bob", Role::viewer);
  auto refusal = [&](Grant grant) { return set(bob, {std::move(grant)}).error().message; };
  EXPECT_NE(refusal(on("delta")).find("items[0].host"), std::string::npos);
  EXPECT_NE(refusal(on("alpha", Role::operator_)).find("items[0].role"), std::string::npos);
  EXPECT_NE(refusal(on("alpha", Role::admin)).find("items[0].role"), std::string::npos);
  EXPECT_NE(refusal(on("")).find("items[0].host"), std::string::npos);
  auto both = on("alpha");
  both.group = "prod";
  EXPECT_NE(refusal(both).find("items[0].host"), std::string::npos);
  EXPECT_EQ(set(bob, std::vector<Grant>(101, on("alpha"))).error().kind, ErrorKind::invalid);
  EXPECT_TRUE(access().grants(bob.user).empty());
}

TEST_F(GrantsTest, OnlyWhoMayHandOutRightsSetsThem) {
  auto bob = add("bob", Role::operator_);
  auto set_by = [&](const Identity& by) {
    return house_.run(access().set_grants(by, bob.user, {on("alpha")})).error().code;
  };
  EXPECT_EQ(set_by(bob), "role_too_low");
  auto made = value_or_throw(house_.run(access().create_token(
      house_.owner(),
      {"ci", Role::admin, *Scopes::parse(std::vector<std::string>{"access"}), std::nullopt})));
  EXPECT_EQ(set_by(value_or_throw(access().by_token(made.text.reveal()))), "scope_missing");
}

TEST_F(GrantsTest, GrantsGoWithTheirUser) {
  auto bob = add("bob", Role::viewer);
  auto grant = on("alpha");
  grant.extras = {Extra::unmask, Extra::recordings};
  ASSERT_TRUE(set(bob, {grant}));
  ASSERT_TRUE(house_.run(access().remove_user(house_.owner(), bob.user)));
  EXPECT_FALSE(role_on(bob, "alpha"));
  EXPECT_TRUE(access().rights(bob).restricted());
  auto page =
      value_or_throw(house_.run(access().audit_page(10, "", {.action = "user.set_grants"})));
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items[0].entry.details,
            R"({"name":"bob","grants":["host alpha: viewer +unmask +recordings"]})");
}

TEST_F(GrantsTest, AViewersTokenIsNoExecutor) {
  auto viewer = add("eve", Role::viewer);
  auto wanted = NewToken{"ci", Role::executor, Scopes::all(), std::nullopt};
  EXPECT_EQ(house_.run(access().create_token(viewer, wanted)).error().code, "token_too_strong");
  auto runner = add("run", Role::operator_);
  auto made = value_or_throw(house_.run(access().create_token(runner, wanted)));
  EXPECT_TRUE(value_or_throw(access().by_token(made.text.reveal())).may_execute());
  ASSERT_TRUE(house_.run(access().set_role(house_.owner(), runner.user, Role::viewer)));
  EXPECT_EQ(access().by_token(made.text.reveal()).error().code, "token_void");
}

}  // namespace
}  // namespace gantry::access
