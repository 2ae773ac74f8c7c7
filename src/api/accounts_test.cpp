#include "api/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using Headers = net::http::Headers;
using Owner = TestServer::Options::Owner;
using testing::HasSubstr;
using testing::StartsWith;

std::string credentials(std::string_view name, std::string_view password) {
  return fmt::format(R"({{"name":"{}","password":"{}"}})", name, password);
}

std::string user_of(const net::http::Response& response) {
  auto user = object_of(response)["user"].as_object();
  return fmt::format("{} {}", user["name"].as_string().c_str(), user["role"].as_string().c_str());
}

TEST(SetupTest, TheOneTimeSecretMakesTheOwnerOnce) {
  TestServer server{{.owner = Owner::absent}};
  EXPECT_EQ(object_of(server.send("GET", "/api/v1/setup"))["needed"], true);
  auto secret = *server.access().renew_setup_secret();
  auto body =
      fmt::format(R"({{"secret":"{}","name":"ada","password":"correct horse"}})", secret.reveal());
  auto made = server.send("POST", "/api/v1/setup", body);
  EXPECT_EQ(made.head.status, 201U);
  EXPECT_EQ(user_of(made), "ada admin");
  EXPECT_THAT(std::string{made.head.headers.get("Set-Cookie")},
              StartsWith(fmt::format("gantry_{}=", server.port())));
  EXPECT_EQ(object_of(server.send("GET", "/api/v1/setup"))["needed"], false);
  EXPECT_EQ(refusal_of(server.send("POST", "/api/v1/setup", body)), "409 already_set_up");
}

TEST(SetupTest, AWrongSecretMakesNobody) {
  TestServer server{{.owner = Owner::absent}};
  server.access().renew_setup_secret();
  auto body = R"({"secret":"guess","name":"eve","password":"correct horse"})";
  EXPECT_EQ(refusal_of(server.send("POST", "/api/v1/setup", body)), "403 bad_setup_secret");
  EXPECT_TRUE(server.access().setup_needed());
}

TEST(SessionsTest, SigningInGivesACookieThatSigningOutEnds) {
  TestServer server;
  auto opened = server.send("POST", "/api/v1/sessions", credentials("ada", "correct horse"));
  ASSERT_EQ(opened.head.status, 201U);
  std::string set{opened.head.headers.get("Set-Cookie")};
  EXPECT_THAT(set, HasSubstr("; HttpOnly; SameSite=Strict"));
  Headers cookie{{"Cookie", set.substr(0, set.find(';'))}, {"Sec-Fetch-Site", "same-origin"}};
  EXPECT_EQ(user_of(server.send("GET", "/api/v1/me", {}, cookie)), "ada admin");
  auto ended = server.send("DELETE", "/api/v1/sessions/current", {}, cookie);
  EXPECT_EQ(ended.head.status, 204U);
  EXPECT_THAT(std::string{ended.head.headers.get("Set-Cookie")}, HasSubstr("Max-Age=0"));
  EXPECT_EQ(refusal_of(server.send("GET", "/api/v1/me", {}, cookie)), "401 bad_session");
}

TEST(SessionsTest, UnknownNamesAndWrongPasswordsSoundTheSame) {
  TestServer server;
  auto wrong = server.send("POST", "/api/v1/sessions", credentials("ada", "wrong horses"));
  auto unknown = server.send("POST", "/api/v1/sessions", credentials("bob", "wrong horses"));
  EXPECT_EQ(refusal_of(wrong), "401 bad_credentials");
  EXPECT_EQ(wrong.body, unknown.body);
}

TEST(SessionsTest, TooManyAttemptsAreToldWhenToComeBack) {
  TestServer server;
  for (int i = 0; i < 10; ++i) {
    server.send("POST", "/api/v1/sessions", credentials("bob", "wrong horses"));
  }
  auto refused = server.send("POST", "/api/v1/sessions", credentials("bob", "wrong horses"));
  EXPECT_EQ(refusal_of(refused), "429 too_many_attempts");
  EXPECT_GT(std::stoi(std::string{refused.head.headers.get("Retry-After")}), 1);
}

TEST(TokensTest, ATokenIsShownOnceAndWorksUntilItIsRevoked) {
  TestServer server;
  Headers cookie{{"Cookie", server.cookie()}, {"Origin", "http://" + server.host()}};
  auto made = server.send("POST", "/api/v1/tokens",
                          R"({"name":"ci","role":"viewer","scopes":["system"]})", cookie);
  ASSERT_EQ(made.head.status, 201U) << made.body;
  auto answer = object_of(made);
  std::string text{answer["token"].as_string().c_str()};
  EXPECT_EQ(server.send("GET", "/api/v1/system", {}, TestServer::bearer(text)).head.status, 200U);
  auto listed = server.send("GET", "/api/v1/tokens", {}, cookie).body;
  EXPECT_THAT(listed, HasSubstr(R"("name":"ci")"));
  EXPECT_THAT(listed, testing::Not(HasSubstr(text)));
  auto path =
      fmt::format("/api/v1/tokens/{}", answer["item"].as_object()["id"].as_string().c_str());
  EXPECT_EQ(server.send("DELETE", path, {}, cookie).head.status, 204U);
  EXPECT_EQ(refusal_of(server.send("GET", "/api/v1/system", {}, TestServer::bearer(text))),
            "401 bad_token");
  EXPECT_EQ(refusal_of(server.send("DELETE", path, {}, cookie)), "404 no_such_token");
}

TEST(UsersTest, AnAdminAddsAndRemovesPeople) {
  TestServer server;
  auto made = server.ask("POST", "/api/v1/users",
                         R"({"name":"bob","password":"correct horse","role":"operator"})");
  ASSERT_EQ(made.head.status, 201U) << made.body;
  auto user = object_of(made);
  EXPECT_EQ(user["role"], "operator");
  EXPECT_EQ(object_of(server.ask("GET", "/api/v1/users"))["items"].as_array().size(), 2U);
  auto path = fmt::format("/api/v1/users/{}", user["id"].as_string().c_str());
  EXPECT_EQ(server.ask("DELETE", path).head.status, 204U);
  EXPECT_EQ(refusal_of(server.ask("DELETE", path)), "404 no_such_user");
}

TEST(UsersTest, TheLastAdminStays) {
  TestServer server;
  auto path = "/api/v1/users/" + server.access().users().front().id.text();
  EXPECT_EQ(refusal_of(server.ask("DELETE", path)), "409 last_admin");
  EXPECT_EQ(refusal_of(server.ask("PATCH", path, R"({"role":"viewer"})")), "409 last_admin");
}

TEST(UsersTest, AnAdminChangesRolesAndForgottenPasswords) {
  TestServer server;
  auto bob = server.add_user("bob", access::Role::viewer);
  auto path = "/api/v1/users/" + bob.user.text();
  auto changed = server.ask("PATCH", path, R"({"role":"operator","password":"another horse"})");
  ASSERT_EQ(changed.head.status, 200U) << changed.body;
  EXPECT_EQ(object_of(changed)["role"], "operator");
  EXPECT_FALSE(server.access().still_valid(bob));
  auto sign_in = [&](std::string_view password) {
    return server.send("POST", "/api/v1/sessions", credentials("bob", password)).head.status;
  };
  EXPECT_EQ(sign_in("correct horse"), 401U);
  EXPECT_EQ(sign_in("another horse"), 201U);
  EXPECT_EQ(refusal_of(server.ask("PATCH", path, "{}")), "400 invalid_field");
  EXPECT_EQ(refusal_of(server.ask("PATCH", path, R"({"role":"admin","password":"short"})")),
            "400 invalid_field");
  EXPECT_EQ(server.access().user(bob.user)->role, access::Role::operator_);
  EXPECT_EQ(refusal_of(server.ask("PATCH", path + "x", R"({"role":"admin"})")), "404 no_such_user");
}

TEST(UsersTest, AnAdminDisablesAndEnablesPeople) {
  TestServer server;
  auto bob = server.add_user("bob", access::Role::viewer);
  auto token = TestServer::bearer(server.add_token(bob, access::Role::viewer, {"system"}));
  auto path = "/api/v1/users/" + bob.user.text();
  EXPECT_EQ(object_of(server.ask("PATCH", path, R"({"disabled":true})"))["disabled"], true);
  EXPECT_EQ(refusal_of(server.send("GET", "/api/v1/system", {}, token)), "401 user_disabled");
  auto came = server.send("POST", "/api/v1/sessions", credentials("bob", "correct horse"));
  EXPECT_EQ(refusal_of(came), "401 user_disabled");
  EXPECT_EQ(object_of(server.ask("PATCH", path, R"({"disabled":false})"))["disabled"], false);
  EXPECT_EQ(server.send("GET", "/api/v1/system", {}, token).head.status, 200U);
}

TEST(UsersTest, ATokenWithoutAllScopesMakesNoUsers) {
  TestServer server;
  auto boss = server.add_user("boss", access::Role::admin);
  auto narrow = TestServer::bearer(server.add_token(boss, access::Role::admin, {"access"}));
  auto body = R"({"name":"eve","password":"correct horse","role":"admin"})";
  EXPECT_EQ(refusal_of(server.send("POST", "/api/v1/users", body, narrow)), "403 scope_missing");
}

TEST(OwnPasswordTest, ASessionChangesItWithTheCurrentOne) {
  TestServer server;
  Headers cookie{{"Cookie", server.cookie()}, {"Origin", "http://" + server.host()}};
  auto change = [&](std::string body) {
    return server.send("PUT", "/api/v1/me/password", std::move(body), cookie);
  };
  auto wrong = change(R"({"current":"a wrong horse","new":"another horse"})");
  EXPECT_EQ(refusal_of(wrong), "403 bad_credentials");
  auto brief = change(R"({"current":"correct horse","new":"short"})");
  EXPECT_EQ(refusal_of(brief), "400 invalid_field");
  EXPECT_THAT(brief.body, HasSubstr("'new'"));
  EXPECT_EQ(change(R"({"current":"correct horse","new":"another horse"})").head.status, 204U);
  EXPECT_EQ(server.send("GET", "/api/v1/me", {}, cookie).head.status, 200U);
  auto opened = server.send("POST", "/api/v1/sessions", credentials("ada", "another horse"));
  EXPECT_EQ(opened.head.status, 201U);
  auto own = "/api/v1/users/" + server.access().users().front().id.text();
  EXPECT_EQ(refusal_of(server.send("PATCH", own, R"({"password":"third horse !"})", cookie)),
            "403 current_password_required");
}

TEST(OwnPasswordTest, ATokenDoesNotAndGuessesEnd) {
  TestServer server;
  auto body = R"({"current":"a wrong horse","new":"another horse"})";
  EXPECT_EQ(refusal_of(server.ask("PUT", "/api/v1/me/password", body)), "403 session_required");
  Headers cookie{{"Cookie", server.cookie()}, {"Origin", "http://" + server.host()}};
  for (int i = 0; i < 10; ++i) server.send("PUT", "/api/v1/me/password", body, cookie);
  auto refused = server.send("PUT", "/api/v1/me/password", body, cookie);
  EXPECT_EQ(refusal_of(refused), "429 too_many_attempts");
  EXPECT_GT(std::stoi(std::string{refused.head.headers.get("Retry-After")}), 1);
}

TEST(AuditTest, TheLogIsReadInPagesAndChecked) {
  TestServer server;
  server.add_user("bob", access::Role::viewer);
  auto first = object_of(server.ask("GET", "/api/v1/audit?limit=2"));
  auto items = first["items"].as_array();
  ASSERT_EQ(items.size(), 2U);
  auto added = items[1].as_object();
  EXPECT_EQ(added["actor"], "ada");
  EXPECT_EQ(added["action"], "user.create");
  EXPECT_EQ(added["details"].as_object()["name"], "bob");
  std::string next{first["next"].as_string().c_str()};
  auto second = object_of(server.ask("GET", "/api/v1/audit?limit=2&cursor=" + next));
  EXPECT_EQ(second["items"].as_array().size(), 2U);
  EXPECT_EQ(second["next"], nullptr);
  EXPECT_EQ(refusal_of(server.ask("GET", "/api/v1/audit?cursor=x")), "400 invalid_cursor");
  auto of_users = object_of(server.ask("GET", "/api/v1/audit?action=user&actor=ada"));
  EXPECT_EQ(of_users["items"].as_array().size(), 1U);
  EXPECT_EQ(server.ask("GET", "/api/v1/audit/check").body,
            R"({"records":4,"broken_at":null,"reason":null})");
}

/// What a request by cookie that changes something must say of where it comes from.
class CsrfTest : public testing::Test {
 protected:
  std::string attempt(Headers headers, std::string type = "application/json") {
    headers.add("Cookie", cookie_);
    headers.set("Content-Type", type);
    auto body = R"({"name":"x","role":"viewer","scopes":["system"]})";
    auto response = server_.send("POST", "/api/v1/tokens", body, std::move(headers));
    return response.head.status == 201 ? "done" : refusal_of(response);
  }
  TestServer server_;
  std::string own_ = "http://" + server_.host();
  std::string cookie_ = server_.cookie();
};

TEST_F(CsrfTest, OurPageMayAndOtherSitesMayNot) {
  EXPECT_EQ(attempt({{"Origin", own_}}), "done");
  EXPECT_EQ(attempt({{"Sec-Fetch-Site", "same-origin"}}), "done");
  EXPECT_EQ(attempt({{"Origin", own_}, {"Sec-Fetch-Site", "same-origin"}}), "done");
  EXPECT_EQ(attempt({}), "403 origin_missing");
  EXPECT_EQ(attempt({{"Origin", "null"}}), "403 cross_site_request");
  EXPECT_EQ(attempt({{"Origin", "http://evil.example"}}), "403 cross_site_request");
  EXPECT_EQ(attempt({{"Origin", own_ + "0"}}), "403 cross_site_request");
  EXPECT_EQ(attempt({{"Sec-Fetch-Site", "same-site"}}), "403 cross_site_request");
  EXPECT_EQ(attempt({{"Origin", own_}, {"Sec-Fetch-Site", "cross-site"}}),
            "403 cross_site_request");
  EXPECT_EQ(attempt({{"Origin", own_}}, "text/plain"), "415 unsupported_media_type");
  EXPECT_EQ(attempt({{"Origin", "http://evil.example"}, {"Host", "evil.example"}}),
            "403 host_not_allowed");
  EXPECT_EQ(attempt({{"Origin", own_}, {"Host", fmt::format("localhost:{}", server_.port())}}),
            "403 cross_site_request");
}

TEST_F(CsrfTest, ReadingByCookieNeedsNoOriginButOpeningAChannelDoes) {
  EXPECT_EQ(server_.send("GET", "/api/v1/me", {}, {{"Cookie", cookie_}}).head.status, 200U);
  Headers upgrade{{"Cookie", cookie_}, {"Upgrade", "websocket"}, {"Connection", "Upgrade"}};
  EXPECT_EQ(refusal_of(server_.send("GET", "/api/v1/live", {}, upgrade)), "403 origin_missing");
}

TEST_F(CsrfTest, ATokenNeedsNoOrigin) {
  auto made = server_.send("POST", "/api/v1/executions", R"({"language":"sh","source":"ls"})",
                           server_.local());
  EXPECT_EQ(made.head.status, 202U);
}

}  // namespace
}  // namespace gantry::api
