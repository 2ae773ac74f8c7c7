#include "api/testing_fake.hpp"
#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class BackupsTest : public testing::Test {
 protected:
  TestServer server_;
};

TEST_F(BackupsTest, AnAdminHasTheWholeDatabase) {
  auto answer = server_.ask("POST", "/api/v1/backups");
  EXPECT_EQ(answer.head.status, 200U);
  EXPECT_EQ(answer.head.headers.get("Content-Type"), "application/x-ndjson");
  EXPECT_THAT(answer.body, StartsWith("{\"gantry_backup\":1,\"program\":\"0.1.0\""));
  EXPECT_THAT(answer.body, HasSubstr("\"ada\""));
  auto lines = text::split(text::trimmed(answer.body), '\n');
  EXPECT_THAT(std::string{lines.back()}, StartsWith("{\"end\":{\"rows\":"));
}

TEST_F(BackupsTest, ItIsInTheAuditLogAndInItself) {
  auto answer = server_.ask("POST", "/api/v1/backups");
  EXPECT_THAT(answer.body, HasSubstr("\"backup.make\""));
  EXPECT_THAT(server_.ask("GET", "/api/v1/audit").body, HasSubstr("\"backup.make\""));
}

TEST_F(BackupsTest, NobodyBelowAnAdminHasIt) {
  auto who = server_.add_user("ben", access::Role::operator_);
  auto token = server_.add_token(who, access::Role::operator_, {"system", "containers"});
  auto answer = server_.send("POST", "/api/v1/backups", {}, TestServer::bearer(token));
  EXPECT_EQ(refusal_of(answer), "403 role_missing");
}

TEST_F(BackupsTest, ATokenWithSomeScopesHasItNot) {
  auto some = server_.add_token(server_.owner(), access::Role::admin, {"access", "system"});
  EXPECT_EQ(refusal_of(server_.send("POST", "/api/v1/backups", {}, TestServer::bearer(some))),
            "403 scope_missing");
  auto all = server_.add_token(server_.owner(), access::Role::admin,
                               {"executions", "containers", "system", "access"});
  EXPECT_EQ(server_.send("POST", "/api/v1/backups", {}, TestServer::bearer(all)).head.status, 200U);
}

TEST_F(BackupsTest, ParametersMeanNothingThere) {
  EXPECT_EQ(refusal_of(server_.ask("POST", "/api/v1/backups?all=1")), "400 invalid_parameter");
}

}  // namespace
}  // namespace gantry::api
