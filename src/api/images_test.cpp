#include "api/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gantry::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ImagesApiTest : public testing::Test {
 protected:
  net::http::Response put(std::string_view host) {
    return server_.ask("POST", "/api/v1/registries",
                       fmt::format(R"({{"host":"{}","user":"ann","password":"hunter2"}})", host));
  }
  TestServer server_;
};

TEST_F(ImagesApiTest, ImagesAreListedWithWhatTheSandboxKnowsOfThem) {
  server_.images().note("ruby:3", sandbox::ImageUse::pulled);
  server_.daemon()
      .expect("GET", "/images/json")
      .reply(200,
             fmt::format(R"([{{"Id":"sha256:{}","RepoTags":["ruby:3"],"Created":1,"Size":42}},)"
                         R"({{"Id":"sha256:{}","RepoTags":["mine:1"],"Created":1,"Size":43}}])",
                         engine::FakeDaemon::id("1"), engine::FakeDaemon::id("2")));
  auto response = server_.ask("GET", "/api/v1/images");
  EXPECT_EQ(response.head.status, 200U);
  EXPECT_THAT(response.body, HasSubstr(R"("tags":["ruby:3"])"));
  EXPECT_THAT(response.body, HasSubstr(R"("sandbox":{"reference":"ruby:3")"));
  EXPECT_THAT(response.body, HasSubstr(R"("size_bytes":43)"));
  EXPECT_THAT(response.body, HasSubstr(R"("sandbox":null)"));
}

TEST_F(ImagesApiTest, ARegistryIsKeptAndItsPasswordNeverShown) {
  auto made = put("ghcr.io");
  EXPECT_EQ(made.head.status, 201U);
  EXPECT_THAT(made.body, Not(HasSubstr("hunter2")));
  auto listed = server_.ask("GET", "/api/v1/registries");
  EXPECT_THAT(listed.body, HasSubstr(R"("host":"ghcr.io","user":"ann")"));
  EXPECT_THAT(listed.body, Not(HasSubstr("hunter2")));
  EXPECT_EQ(server_.registries().find("ghcr.io")->password.reveal(), "hunter2");

  auto id = server_.registries().list().front().id.text();
  EXPECT_EQ(server_.ask("DELETE", "/api/v1/registries/" + id).head.status, 204U);
  EXPECT_EQ(server_.ask("DELETE", "/api/v1/registries/" + id).head.status, 404U);
  EXPECT_FALSE(server_.registries().find("ghcr.io"));
}

TEST_F(ImagesApiTest, WhatIsNoRegistryIsRefusedByItsField) {
  auto refused = put("https://ghcr.io");
  EXPECT_EQ(refused.head.status, 400U);
  EXPECT_THAT(refused.body, HasSubstr("host"));
  auto unknown = server_.ask("POST", "/api/v1/registries",
                             R"({"host":"a.io","user":"u","password":"p","x":1})");
  EXPECT_EQ(unknown.head.status, 400U);
}

TEST_F(ImagesApiTest, TheAuditLogTellsWhoChangedARegistryAndNoPassword) {
  put("ghcr.io");
  auto log = server_.ask("GET", "/api/v1/audit");
  EXPECT_THAT(log.body, HasSubstr(R"("registry.put")"));
  EXPECT_THAT(log.body, Not(HasSubstr("hunter2")));
}

TEST_F(ImagesApiTest, RegistriesAreInTheAuditLogWithTheirChange) {
  auto made = object_of(put("ghcr.io"));
  put("no host");
  server_.ask("DELETE", fmt::format("/api/v1/registries/{}", made["id"].as_string().c_str()));
  auto log = object_of(server_.ask("GET", "/api/v1/audit?action=registry"));
  ASSERT_EQ(log["items"].as_array().size(), 2U);
  auto removed = log["items"].as_array()[0].as_object();
  EXPECT_EQ(removed["action"], "registry.remove");
  EXPECT_EQ(removed["target"], "ghcr.io");
  EXPECT_EQ(removed["details"].as_object()["user"], "ann");
}

TEST(LoginsTest, WhoHasNotSignedInHasNoneOfTheServersLogins) {
  TestServer server{{.anonymous_execute = AnonymousExecute::on_loopback}};
  auto body = R"({"script":"true","image":"ghcr.io/team/app"})";
  server.send("POST", "/execute", body);
  EXPECT_EQ(server.sandbox().seen.back().logins, sandbox::Logins::none);
  server.ask("POST", "/execute", body);
  EXPECT_EQ(server.sandbox().seen.back().logins, sandbox::Logins::stored);
}

}  // namespace
}  // namespace gantry::api
