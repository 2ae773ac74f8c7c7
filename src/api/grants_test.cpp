#include "api/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

class GrantRoutesTest : public testing::Test {
 protected:
  GrantRoutesTest() : bob_{server_.add_user("bob", access::Role::operator_)} {}

  std::string path() const { return fmt::format("/api/v1/users/{}/grants", bob_.user.text()); }
  std::string refusal(std::string body) {
    return refusal_of(server_.ask("PUT", path(), std::move(body)));
  }

  TestServer server_;
  access::Identity bob_;
};

TEST_F(GrantRoutesTest, GrantsAreSetAndRead) {
  auto set = server_.ask("PUT", path(),
                         R"({"items":[{"host":"local","role":"viewer"},{"group":"prod",)"
                         R"("project":"web","role":"operator","rights":["unmask"]}]})");
  ASSERT_EQ(set.head.status, 200U) << set.body;
  auto read = server_.ask("GET", path());
  EXPECT_EQ(read.body, set.body);
  EXPECT_EQ(read.body,
            R"({"items":[{"group":null,"host":"local","project":null,"role":"viewer","rights":[]},)"
            R"({"group":"prod","host":null,"project":"web","role":"operator",)"
            R"("rights":["unmask"]}]})");
  auto rights = server_.access().rights(bob_);
  EXPECT_EQ(rights.role_on("local", std::vector<std::string>{}, ""), access::Role::viewer);
  EXPECT_EQ(server_.ask("PUT", path(), R"({"items":[]})").body, R"({"items":[]})");
  EXPECT_FALSE(server_.access().rights(bob_).restricted());
}

TEST_F(GrantRoutesTest, MistakesAreToldByField) {
  EXPECT_EQ(refusal(R"({})"), "400 invalid_field");
  EXPECT_EQ(refusal(R"({"items":[{"role":"viewer"}]})"), "400 invalid_field");
  EXPECT_EQ(refusal(R"({"items":[{"host":"elsewhere","role":"viewer"}]})"), "400 invalid_field");
  EXPECT_EQ(refusal(R"({"items":[{"host":"local","role":"admin"}]})"), "400 invalid_field");
  EXPECT_EQ(refusal(R"({"items":[{"host":"local","role":"viewer","rights":["all"]}]})"),
            "400 invalid_field");
  EXPECT_EQ(refusal(R"({"items":[{"host":"local","role":"viewer","user":"ada"}]})"),
            "400 unknown_field");
}

TEST_F(GrantRoutesTest, NobodyHasGrantsWhoIsNot) {
  EXPECT_EQ(refusal_of(server_.ask("GET", "/api/v1/users/01nobody/grants")), "404 no_such_user");
  EXPECT_EQ(refusal_of(server_.ask("PUT", "/api/v1/users/01nobody/grants", R"({"items":[]})")),
            "404 no_such_user");
}

TEST_F(GrantRoutesTest, TheEngineIsNotToldToWhoDoesNotSeeEveryHost) {
  auto engine_for = [&](const access::Identity& who) {
    auto token = server_.add_token(who, who.role, {"system"});
    return object_of(
        server_.send("GET", "/api/v1/system", {}, TestServer::bearer(token)))["engine"];
  };
  EXPECT_TRUE(engine_for(bob_).is_object());
  EXPECT_TRUE(engine_for(server_.add_user("run", access::Role::executor)).is_null());
  server_.ask("PUT", path(), R"({"items":[{"group":"prod","role":"viewer"}]})");
  EXPECT_TRUE(engine_for(bob_).is_null());
}

/// Tokens of somebody who sees the project `shop` on the host `local` and nothing else.
class TokenGrantsTest : public testing::Test {
 protected:
  TokenGrantsTest()
      : bob_{server_.add_user("bob", access::Role::operator_)},
        as_bob_{TestServer::bearer(
            server_.add_token(bob_, access::Role::operator_, {"containers", "system", "access"}))} {
    grant({{.host = "local", .project = "shop", .role = access::Role::operator_}});
    auto added = server_.ask("POST", "/api/v1/hosts",
                             R"({"name":"vault","endpoint":"unix:///run/vault.sock",)"
                             R"("groups":["secret"],"enabled":false})");
    EXPECT_EQ(added.head.status, 201U) << added.body;
  }

  void grant(std::vector<access::Grant> grants) {
    value_or_throw(server_.loop().run(
        server_.access().set_grants(server_.owner(), bob_.user, std::move(grants))));
  }
  net::http::Response make(std::string_view grants) {
    return server_.send(
        "POST", "/api/v1/tokens",
        fmt::format(R"({{"name":"ci","role":"operator","scopes":["containers"],"grants":{}}})",
                    grants),
        as_bob_);
  }
  std::string refusal(std::string_view grants) {
    auto made = make(grants);
    EXPECT_EQ(made.head.status, 400U) << made.body;
    return std::string{object_of(made)["detail"].as_string().c_str()};
  }
  std::string listed() {
    auto items = object_of(server_.send("GET", "/api/v1/tokens", {}, as_bob_))["items"].as_array();
    return json::serialize(items.at(0).as_object()["grants"]);
  }

  TestServer server_;
  access::Identity bob_;
  net::http::Headers as_bob_;
};

TEST_F(TokenGrantsTest, TheListShowsThem) {
  EXPECT_EQ(listed(), "null");
  auto made = make(R"([{"host":"local","project":"shop","role":"viewer"}])");
  ASSERT_EQ(made.head.status, 201U) << made.body;
  EXPECT_EQ(listed(),
            R"([{"group":null,"host":"local","project":"shop","role":"viewer","rights":[]}])");
}

TEST_F(TokenGrantsTest, WhatTheMakerDoesNotSeeIsRefusedAsWhatThereIsNot) {
  EXPECT_EQ(refusal(R"([{"host":"vault","role":"viewer"}])"),
            refusal(R"([{"host":"nowhere","role":"viewer"}])"));
  EXPECT_EQ(refusal(R"([{"group":"secret","role":"viewer"}])"),
            refusal(R"([{"group":"nobodys","role":"viewer"}])"));
  EXPECT_EQ(refusal(R"([{"host":"local","role":"viewer"}])"),
            refusal(R"([{"host":"local","project":"till","role":"viewer"}])"));
  grant({{.host = "local", .project = "shop"}});
  EXPECT_THAT(refusal(R"([{"host":"local","project":"shop","role":"operator"}])"),
              testing::HasSubstr("'grants[0].role' must not be above 'viewer'"));
}

TEST_F(TokenGrantsTest, GroupsCanNotBeTriedOut) {
  auto near = server_.ask("PATCH", "/api/v1/hosts/local", R"({"groups":["near"]})");
  ASSERT_EQ(near.head.status, 200U) << near.body;
  auto shop_in = [](std::string_view group) {
    return fmt::format(R"([{{"group":"{}","project":"shop","role":"viewer"}}])", group);
  };
  auto unknown = refusal(shop_in("nobodys"));
  EXPECT_EQ(refusal(shop_in("near")), unknown);
  ASSERT_EQ(make(shop_in("*")).head.status, 201U);
  grant({{.group = "*", .project = "shop"}});
  EXPECT_EQ(refusal(shop_in("near")), unknown);
  grant({{.group = "near", .project = "shop"}});
  EXPECT_EQ(make(shop_in("near")).head.status, 201U);
  EXPECT_EQ(refusal(shop_in("nobodys")), unknown);
  grant({{.group = "*"}});
  EXPECT_EQ(make(shop_in("near")).head.status, 201U);
}

TEST_F(TokenGrantsTest, AnEmptyListIsNotTakenForNoRestriction) {
  EXPECT_THAT(refusal("[]"), testing::HasSubstr("'grants' must hold at least one"));
}

TEST_F(TokenGrantsTest, AHostThatItsUserDoesNotSeeAnyMoreIsNotNamed) {
  grant({{.host = "vault", .role = access::Role::operator_}});
  ASSERT_EQ(make(R"([{"host":"vault","role":"viewer"}])").head.status, 201U);
  EXPECT_THAT(listed(), testing::HasSubstr("\"vault\""));
  grant({{.host = "local"}});
  EXPECT_THAT(listed(), testing::Not(testing::HasSubstr("vault")));
}

}  // namespace
}  // namespace gantry::api
