#include "access/oidc_provider_fake.hpp"
#include "api/testing_fake.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using Headers = net::http::Headers;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> cookies_of(const net::http::Response& response) {
  std::vector<std::string> cookies;
  for (const auto& [name, value] : response.head.headers) {
    if (text::iequals(name, "Set-Cookie")) cookies.push_back(value);
  }
  return cookies;
}

class OidcRoutesTest : public testing::Test {
 protected:
  OidcRoutesTest() { provider_.now = Clock{}.now(); }

  TestServer::Options options() {
    return {.oidc = [this](const async::Executor& executor) {
      return std::make_unique<access::Oidc>(executor, access::TestProvider::settings(), Clock{},
                                            Sealer{Secret{std::string(Sealer::key_bytes, 'k')}},
                                            provider_.dial());
    }};
  }
  /// A browser goes there and comes back.
  net::http::Response come_back(std::string_view more = "", bool with_cookie = true) {
    auto started = server_.send("GET", "/api/v1/oidc/start");
    EXPECT_EQ(started.head.status, 303U) << started.body;
    auto flow = cookies_of(started).at(0);
    EXPECT_THAT(flow, StartsWith("gantry_oidc_"));
    EXPECT_THAT(flow, HasSubstr("HttpOnly; SameSite=Lax"));
    auto granted = provider_.grant(std::string{started.head.headers.get("Location")});
    // The browser comes from another site's page, by a link.
    Headers headers{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}};
    if (with_cookie) headers.set("Cookie", flow.substr(0, flow.find(';')));
    return server_.send(
        "GET",
        fmt::format("/api/v1/oidc/callback?code={}&state={}{}", granted.code, granted.state, more),
        {}, headers);
  }

  access::TestProvider provider_;
  TestServer server_{options()};
};

TEST_F(OidcRoutesTest, SigningInLeadsToTheConsoleWithASession) {
  auto back = come_back("&session_state=abc&iss=https%3A%2F%2Fid.example%2Frealm");
  ASSERT_EQ(back.head.status, 303U) << back.body;
  EXPECT_EQ(back.head.headers.get("Location"), "/");
  auto cookies = cookies_of(back);
  ASSERT_EQ(cookies.size(), 3U);
  EXPECT_THAT(cookies[0], HasSubstr("SameSite=Strict"));
  EXPECT_THAT(cookies[2], AllOf(StartsWith("gantry_oidc_"), HasSubstr("Max-Age=0")));
  Headers session{{"Cookie", cookies[0].substr(0, cookies[0].find(';'))},
                  {"Sec-Fetch-Site", "same-origin"}};
  auto me = object_of(server_.send("GET", "/api/v1/me", {}, session));
  EXPECT_EQ(me["user"].as_object()["name"], "janedoe");
  EXPECT_EQ(me["user"].as_object()["role"], "operator");
}

TEST_F(OidcRoutesTest, WhatGoesWrongIsToldToTheConsole) {
  auto error_of = [](const net::http::Response& response) {
    EXPECT_EQ(response.head.status, 303U);
    for (const auto& cookie : cookies_of(response)) EXPECT_THAT(cookie, HasSubstr("Max-Age=0"));
    return std::string{response.head.headers.get("Location")};
  };
  EXPECT_EQ(error_of(come_back("", false)), "/?sign_in_error=oidc_state");
  EXPECT_EQ(error_of(come_back("&iss=https%3A%2F%2Fevil.example")), "/?sign_in_error=oidc_state");
  provider_.algorithm = "none";
  EXPECT_EQ(error_of(come_back()), "/?sign_in_error=bad_token");
  EXPECT_EQ(error_of(server_.send("GET", "/api/v1/oidc/callback?error=access_denied")),
            "/?sign_in_error=oidc_state");
}

TEST_F(OidcRoutesTest, PagesOfOtherSitesUseNobodysAttemptsUp) {
  auto refused = [&](const char* path, const char* site, const char* purpose) {
    auto answer =
        server_.send("GET", path, {}, {{"Sec-Fetch-Site", site}, {"Sec-Fetch-Dest", purpose}});
    EXPECT_THAT(cookies_of(answer), testing::IsEmpty());
    return answer.head.headers.get("Location") == "/?sign_in_error=oidc_elsewhere";
  };
  constexpr const char* start = "/api/v1/oidc/start";
  for (int i = 0; i < 70; ++i) {
    ASSERT_TRUE(refused(start, "cross-site", "image"));
    ASSERT_TRUE(refused("/api/v1/oidc/callback?code=x&state=x", "cross-site", "image"));
  }
  EXPECT_TRUE(refused(start, "cross-site", "document"));
  EXPECT_TRUE(refused(start, "same-site", "document"));
  EXPECT_TRUE(refused(start, "same-origin", "iframe"));
  EXPECT_EQ(come_back().head.headers.get("Location"), "/");
  auto visit = server_.send("GET", start, {},
                            {{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Dest", "document"}});
  EXPECT_THAT(std::string{visit.head.headers.get("Location")}, StartsWith("https://id.example/"));
}

TEST_F(OidcRoutesTest, WithoutAProviderThereIsNothing) {
  TestServer server;
  EXPECT_EQ(server.send("GET", "/api/v1/oidc").body, R"({"enabled":false})");
  EXPECT_EQ(server_.send("GET", "/api/v1/oidc").body, R"({"enabled":true})");
  EXPECT_EQ(refusal_of(server.send("GET", "/api/v1/oidc/start")), "404 oidc_not_configured");
  EXPECT_EQ(refusal_of(server.send("GET", "/api/v1/oidc/callback")), "404 oidc_not_configured");
}

}  // namespace
}  // namespace gantry::api
