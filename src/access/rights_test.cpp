#include "access/rights.hpp"

#include <gtest/gtest.h>

namespace gantry::access {
namespace {

using Groups = std::vector<std::string>;

Grant on_host(std::string host, Role role, std::string project = {}) {
  return {.group = {},
          .host = std::move(host),
          .project = std::move(project),
          .role = role,
          .extras = {}};
}

Grant on_group(std::string group, Role role, std::vector<Extra> extras = {}) {
  return {.group = std::move(group),
          .host = {},
          .project = {},
          .role = role,
          .extras = std::move(extras)};
}

TEST(RightsTest, NobodySeesNothing) {
  Rights rights;
  EXPECT_TRUE(rights.restricted());
  EXPECT_FALSE(rights.role_on("a", Groups{}, ""));
  EXPECT_FALSE(rights.sees_host("a", Groups{}));
}

TEST(RightsTest, WithoutGrantsARoleHoldsOnEveryHost) {
  for (auto role : {Role::viewer, Role::operator_, Role::admin}) {
    auto rights = Rights::everywhere(role);
    EXPECT_FALSE(rights.restricted());
    EXPECT_EQ(rights.role_on("a", Groups{}, ""), role);
    EXPECT_EQ(rights.role_on("b", Groups{"x"}, "web"), role);
    EXPECT_TRUE(rights.sees_host("a", Groups{}));
    EXPECT_EQ(rights.has(Extra::unmask, "a", Groups{}, ""), role == Role::admin);
  }
}

TEST(RightsTest, AnExecutorSeesNoHostWhateverIsGranted) {
  for (const auto& rights :
       {Rights::everywhere(Role::executor),
        Rights::granted(Role::executor, {on_group(std::string{every_group}, Role::operator_)})}) {
    EXPECT_TRUE(rights.restricted());
    EXPECT_FALSE(rights.role_on("a", Groups{}, ""));
    EXPECT_FALSE(rights.sees_host("a", Groups{}));
    EXPECT_FALSE(rights.has(Extra::unmask, "a", Groups{}, ""));
  }
}

TEST(RightsTest, GrantsAreAllThatIsSeen) {
  auto rights = Rights::granted(Role::operator_,
                                {on_host("a", Role::viewer), on_group("prod", Role::operator_)});
  EXPECT_TRUE(rights.restricted());
  EXPECT_EQ(rights.role_on("a", Groups{}, ""), Role::viewer);
  EXPECT_EQ(rights.role_on("a", Groups{"prod"}, ""), Role::operator_);
  EXPECT_EQ(rights.role_on("b", Groups{"test", "prod"}, "web"), Role::operator_);
  EXPECT_FALSE(rights.role_on("b", Groups{"test"}, ""));
  EXPECT_FALSE(rights.role_on("", Groups{""}, ""));
  EXPECT_FALSE(rights.sees_host("b", Groups{"test"}));
}

TEST(RightsTest, AnEmptyListOfGrantsSeesNothing) {
  auto rights = Rights::granted(Role::admin, {});
  EXPECT_TRUE(rights.restricted());
  EXPECT_FALSE(rights.role_on("a", Groups{}, ""));
  EXPECT_FALSE(rights.sees_host("a", Groups{}));
}

TEST(RightsTest, AGrantGivesNoMoreThanTheRole) {
  auto rights = Rights::granted(Role::viewer, {on_host("a", Role::operator_)});
  EXPECT_EQ(rights.role_on("a", Groups{}, ""), Role::viewer);
}

TEST(RightsTest, AGrantOfAProjectShowsItsHostAndNothingElseOfIt) {
  auto rights = Rights::granted(Role::operator_, {on_host("a", Role::operator_, "web")});
  EXPECT_EQ(rights.role_on("a", Groups{}, "web"), Role::operator_);
  EXPECT_FALSE(rights.role_on("a", Groups{}, "db"));
  EXPECT_FALSE(rights.role_on("a", Groups{}, ""));
  EXPECT_FALSE(rights.role_on("b", Groups{}, "web"));
  EXPECT_TRUE(rights.sees_host("a", Groups{}));
  EXPECT_FALSE(rights.sees_host("b", Groups{}));
}

TEST(RightsTest, TheGroupOfAllHostsIsEveryHost) {
  auto rights = Rights::granted(
      Role::operator_, {on_group(std::string{every_group}, Role::operator_, {Extra::unmask})});
  EXPECT_EQ(rights.role_on("a", Groups{}, "web"), Role::operator_);
  EXPECT_TRUE(rights.has(Extra::unmask, "a", Groups{}, "web"));
  EXPECT_FALSE(rights.has(Extra::recordings, "a", Groups{}, "web"));
}

TEST(RightsTest, AnExtraHoldsWhereItsGrantDoes) {
  auto rights = Rights::granted(
      Role::operator_,
      {on_host("a", Role::viewer), on_group("prod", Role::viewer, {Extra::recordings})});
  EXPECT_FALSE(rights.has(Extra::recordings, "a", Groups{}, ""));
  EXPECT_TRUE(rights.has(Extra::recordings, "b", Groups{"prod"}, ""));
}

TEST(RightsTest, ATokenHasWhatBothItAndItsUserHave) {
  auto user = Rights::granted(Role::operator_,
                              {on_host("a", Role::operator_), on_host("b", Role::operator_)});
  auto token = user.narrowed({on_host("a", Role::viewer), on_host("c", Role::operator_)});
  EXPECT_EQ(token.role_on("a", Groups{}, ""), Role::viewer);
  EXPECT_FALSE(token.role_on("b", Groups{}, ""));
  EXPECT_FALSE(token.role_on("c", Groups{}, ""));
  EXPECT_FALSE(token.sees_host("c", Groups{}));
}

TEST(RightsTest, ATokensGrantsAddNoExtras) {
  std::vector<Grant> all{
      on_group(std::string{every_group}, Role::operator_, {Extra::unmask, Extra::recordings})};
  EXPECT_FALSE(
      Rights::everywhere(Role::operator_).narrowed(all).has(Extra::unmask, "a", Groups{}, ""));
  EXPECT_FALSE(Rights::granted(Role::operator_, {on_host("a", Role::operator_)})
                   .narrowed(all)
                   .has(Extra::unmask, "a", Groups{}, ""));
  EXPECT_TRUE(
      Rights::granted(Role::operator_, all).narrowed(all).has(Extra::unmask, "a", Groups{}, ""));
}

TEST(RightsTest, WordsOfExtrasAreReadAndWritten) {
  for (auto extra : all_extras) EXPECT_EQ(parse_extra(word(extra)), extra);
  EXPECT_FALSE(parse_extra("everything"));
}

}  // namespace
}  // namespace gantry::access
