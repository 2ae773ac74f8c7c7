#include "api/routes.hpp"
#include "api/testing_fake.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Attacks on signing in and on what requests may say, over all routes where it fits.
namespace gantry::api {
namespace {

using access::Role;
using Headers = net::http::Headers;

class SecurityTest : public testing::Test {
 protected:
  net::http::Response sign_in(std::string_view name, std::string_view password,
                              Headers headers = {}) {
    auto body = json::serialize(json::Object{{"name", name}, {"password", password}});
    return server_.send("POST", "/api/v1/sessions", body, std::move(headers));
  }
  static Headers cookie_of(const net::http::Response& response) {
    std::string set{response.head.headers.get("Set-Cookie")};
    return {{"Cookie", set.substr(0, set.find(';'))}, {"Sec-Fetch-Site", "same-origin"}};
  }
  unsigned me(const Headers& headers) {
    return server_.send("GET", "/api/v1/me", {}, headers).head.status;
  }
  /// A new user who has signed in with a cookie.
  Headers signed_in_user(std::string name, access::UserId& id) {
    id = server_.add_user(name, Role::viewer).user;
    auto headers = cookie_of(sign_in(name, "correct horse"));
    EXPECT_EQ(me(headers), 200U);
    return headers;
  }
  TestServer server_;
};

TEST_F(SecurityTest, ASessionIsNeverTheOneThatWasBrought) {
  auto brought = fmt::format("gantry_{}={}", server_.port(), std::string(50, 'a'));
  auto opened =
      sign_in("ada", "correct horse", {{"Cookie", brought}, {"Sec-Fetch-Site", "same-origin"}});
  ASSERT_EQ(opened.head.status, 201U);
  EXPECT_NE(cookie_of(opened).get("Cookie"), brought);
  EXPECT_EQ(me({{"Cookie", brought}}), 401U);
}

TEST_F(SecurityTest, ASessionEndsWithWhatItStoodFor) {
  struct Case {
    std::string_view name;
    std::string_view method;
    std::string_view body;
  };
  for (const auto& [name, method, body] :
       {Case{"pass", "PATCH", R"({"password":"another battery"})"},
        Case{"role", "PATCH", R"({"role":"operator"})"}, Case{"gone", "DELETE", ""},
        Case{"shut", "PATCH", R"({"disabled":true})"}}) {
    access::UserId id;
    auto headers = signed_in_user(std::string{name}, id);
    auto path = "/api/v1/users/" + id.text();
    EXPECT_LT(server_.ask(std::string{method}, path, std::string{body}).head.status, 300U) << name;
    EXPECT_EQ(me(headers), 401U) << name;
  }
  access::UserId id;
  auto headers = signed_in_user("out", id);
  EXPECT_EQ(server_.send("DELETE", "/api/v1/sessions/current", {}, headers).head.status, 204U);
  EXPECT_EQ(me(headers), 401U);
}

TEST_F(SecurityTest, NamesCanNotBeGuessedByWhatIsAnswered) {
  server_.add_user("eve", Role::viewer);
  auto known = sign_in("eve", "wrong password");
  auto unknown = sign_in("nobody", "wrong password");
  EXPECT_EQ(known.head.status, 401U);
  EXPECT_EQ(known.head.status, unknown.head.status);
  EXPECT_EQ(known.body, unknown.body);
}

TEST_F(SecurityTest, OddPasswordsAreRefusedAndNothingElse) {
  using namespace std::string_literals;
  for (const auto& password :
       {std::string(1'025, 'x'), std::string(60'000, 'x'), "nul\0inside it"s, "\xcc\x81"s}) {
    auto status = sign_in("ada", password).head.status;
    EXPECT_TRUE(status == 400 || status == 401) << password.size() << ' ' << status;
  }
  EXPECT_EQ(sign_in("ada", std::string(1U << 20U, 'x')).head.status, 413U);
  EXPECT_EQ(sign_in("ada", "correct horse").head.status, 201U);
}

TEST_F(SecurityTest, NobodyAssignsWhatIsNotTheirs) {
  auto eve = server_.add_user("eve", Role::viewer);
  auto path = fmt::format("/api/v1/users/{}", eve.user.text());
  struct Case {
    std::string_view method;
    std::string path;
    std::string body;
  };
  for (std::string_view extra :
       {R"("id":"01x")", R"("created_at":"2020-01-01T00:00:00Z")", R"("owner":"ada")",
        R"("user_id":"01x")", R"("__proto__":{})", R"("standing":"active")"}) {
    for (const auto& [method, target, body] :
         {Case{"POST", "/api/v1/users",
               R"({"name":"x","password":"long enough!","role":"viewer",)"},
          Case{"PATCH", path, R"({"role":"viewer",)"},
          Case{"PUT", path + "/grants", R"({"items":[],)"},
          Case{"POST", "/api/v1/tokens", R"({"name":"x","role":"viewer","scopes":["system"],)"},
          Case{"POST", "/api/v1/sessions", R"({"name":"ada","password":"correct horse",)"}}) {
      auto answer = server_.ask(std::string{method}, target, fmt::format("{}{}}}", body, extra));
      EXPECT_EQ(refusal_of(answer), "400 unknown_field") << method << ' ' << target << extra;
    }
  }
}

TEST_F(SecurityTest, AViewerGetsNoHigherByAsking) {
  auto eve = server_.add_user("eve", Role::viewer);
  auto headers = TestServer::bearer(server_.add_token(eve, Role::viewer, {"access"}));
  auto path = fmt::format("/api/v1/users/{}", eve.user.text());
  EXPECT_EQ(server_.send("PATCH", path, R"({"role":"admin"})", headers).head.status, 403U);
  EXPECT_EQ(server_.send("PUT", path + "/grants", R"({"items":[]})", headers).head.status, 403U);
  for (auto role : {"executor", "operator", "admin"}) {
    auto body = fmt::format(R"({{"name":"x","role":"{}","scopes":["access"]}})", role);
    EXPECT_EQ(refusal_of(server_.send("POST", "/api/v1/tokens", body, headers)),
              "403 token_too_strong");
  }
  EXPECT_EQ(
      refusal_of(server_.send("POST", "/api/v1/tokens",
                              R"({"name":"x","role":"viewer","scopes":["system"]})", headers)),
      "403 token_too_strong");
}

TEST_F(SecurityTest, OddIdsFindNothingOnAnyRoute) {
  const std::vector<std::string> odd{"..%2f..%2fversion",
                                     "%2e%2e",
                                     "%2f",
                                     "%00",
                                     "a%00b",
                                     "..;",
                                     "A..%5c",
                                     "%ff%fe",
                                     "..%2fversion%3fx=",
                                     "-x",
                                     "--",
                                     std::string(10'240, 'a')};
  auto headers = server_.local();
  for (const auto& route : routes()) {
    if (route.path.find('{') == std::string_view::npos) continue;
    for (const auto& id : odd) {
      std::string target;
      for (auto segment : text::split(route.path.substr(1), '/')) {
        target += '/';
        target += segment.starts_with('{') ? std::string_view{id} : segment;
      }
      auto status = server_
                        .send(std::string{route.method}, target,
                              route.body == Body::none ? "" : "{}", headers)
                        .head.status;
      EXPECT_TRUE(status >= 400 && status < 500)
          << route.method << ' ' << target.substr(0, 200) << ' ' << status;
    }
  }
  EXPECT_TRUE(server_.daemon().requests().empty());
}

}  // namespace
}  // namespace gantry::api
