#include "main/oidc_options.hpp"

#include <gtest/gtest.h>

namespace gantry::main {
namespace {

Settings whole() {
  return {{"oidc_issuer", {{"https://id.example/realm"}, "here"}},
          {"oidc_client_id", {{"gantry"}, "here"}},
          {"oidc_redirect_url", {{"https://gantry.example/api/v1/oidc/callback"}, "here"}},
          {"oidc_roles", {{"ops=operator", "a=b=viewer, *=executor"}, "here"}}};
}

std::string refusal(std::string_view key, std::string value) {
  auto settings = whole();
  settings[std::string{key}] = {{std::move(value)}, "here"};
  auto options = oidc_options(settings);
  return options ? "accepted" : options.error().code;
}

TEST(OidcOptionsTest, WithoutAnIssuerThereIsNoProvider) {
  EXPECT_FALSE(value_or_throw(oidc_options({})).has_value());
}

TEST(OidcOptionsTest, ListsMayBeGivenWithCommas) {
  auto options = value_or_throw(oidc_options(whole())).value();
  ASSERT_EQ(options.roles.size(), 3U);
  EXPECT_EQ(options.roles[0].group, "ops");
  EXPECT_EQ(options.roles[1].group, "a=b");
  EXPECT_EQ(options.roles[1].role, access::Role::viewer);
  EXPECT_EQ(options.roles[2].group, "*");
  EXPECT_EQ(options.groups_claim, "groups");
  EXPECT_EQ(options.scopes, (std::vector<std::string>{"openid", "profile", "email"}));
}

TEST(OidcOptionsTest, NewcomersMayBeKeptToGroupsOfHosts) {
  EXPECT_TRUE(value_or_throw(oidc_options(whole())).value().first_grants.empty());
  auto settings = whole();
  settings["oidc_first_grants"] = {{"staging=operator", "*/shop=viewer"}, "here"};
  auto grants = value_or_throw(oidc_options(settings)).value().first_grants;
  EXPECT_EQ(grants, (std::vector<access::Grant>{
                        {.group = "staging", .role = access::Role::operator_},
                        {.group = "*", .project = "shop", .role = access::Role::viewer}}));
  for (const auto* wrong : {"staging", "=viewer", "staging=admin", "staging=executor", "/x=viewer",
                            "staging/=viewer", "staging="}) {
    EXPECT_EQ(refusal("oidc_first_grants", wrong), "bad_setting") << wrong;
  }
}

TEST(OidcOptionsTest, WhatCanNotWorkIsRefused) {
  EXPECT_EQ(refusal("oidc_issuer", "http://id.example"), "bad_provider_url");
  EXPECT_EQ(refusal("oidc_client_id", ""), "bad_setting");
  EXPECT_EQ(refusal("oidc_redirect_url", "https://gantry.example/"), "bad_setting");
  EXPECT_EQ(refusal("oidc_redirect_url", "http://gantry.example/api/v1/oidc/callback"),
            "bad_setting");
  EXPECT_EQ(refusal("oidc_roles", "ops"), "bad_setting");
  EXPECT_EQ(refusal("oidc_roles", "ops=boss"), "bad_setting");
  EXPECT_EQ(refusal("oidc_roles", "=viewer"), "bad_setting");
  EXPECT_EQ(refusal("oidc_roles", ","), "bad_setting");
  EXPECT_EQ(refusal("oidc_groups_claim", "roles"), "accepted");
}

}  // namespace
}  // namespace gantry::main
