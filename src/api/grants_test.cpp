#include "api/testing_fake.hpp"

#include <fmt/format.h>
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

}  // namespace
}  // namespace gantry::api
