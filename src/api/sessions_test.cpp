#include "access/totp.hpp"
#include "api/testing_fake.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using Headers = net::http::Headers;

/// What a browser sends after this answer.
Headers cookies_of(const net::http::Response& response) {
  std::string cookies;
  for (const auto& [name, value] : response.head.headers) {
    if (!text::iequals(name, "Set-Cookie")) continue;
    cookies += value.substr(0, value.find(';')) + "; ";
  }
  return {{"Cookie", cookies.substr(0, cookies.size() - 2)}, {"Sec-Fetch-Site", "same-origin"}};
}

class SessionRoutesTest : public testing::Test {
 protected:
  net::http::Response sign_in(std::string_view more = "", Headers headers = {}) {
    return server_.send("POST", "/api/v1/sessions",
                        fmt::format(R"({{"name":"ada","password":"correct horse"{}}})", more),
                        std::move(headers));
  }
  TestServer server_;
};

TEST_F(SessionRoutesTest, OnesOwnAreListedAndEnded) {
  auto mine = cookies_of(sign_in("", {{"User-Agent", "Firefox"}}));
  auto list = server_.send("GET", "/api/v1/me/sessions", {}, mine);
  auto items = object_of(list)["items"].as_array();
  ASSERT_EQ(items.size(), 2U);
  int current = 0;
  std::string other;
  for (const auto& item : items) {
    const auto& session = item.as_object();
    if (session.at("current").as_bool()) {
      ++current;
      EXPECT_EQ(session.at("agent"), "Firefox");
      EXPECT_EQ(session.at("address"), "127.0.0.1");
    } else {
      other = session.at("id").as_string();
    }
  }
  EXPECT_EQ(current, 1);
  auto path = "/api/v1/me/sessions/" + other;
  EXPECT_EQ(server_.send("DELETE", path, {}, mine).head.status, 204U);
  EXPECT_EQ(refusal_of(server_.send("DELETE", path, {}, mine)), "404 no_such_session");
}

TEST_F(SessionRoutesTest, AnAdminListsAndEndsAnybodys) {
  auto bob = server_.add_user("bob", access::Role::viewer);
  auto path = fmt::format("/api/v1/users/{}/sessions", bob.user.text());
  auto items = object_of(server_.ask("GET", path))["items"].as_array();
  ASSERT_EQ(items.size(), 1U);
  auto one = fmt::format("{}/{}", path, bob.credential);
  EXPECT_EQ(server_.ask("DELETE", one).head.status, 204U);
  EXPECT_EQ(refusal_of(server_.ask("DELETE", one)), "404 no_such_session");
  EXPECT_EQ(refusal_of(server_.ask("GET", "/api/v1/users/01nobody/sessions")), "404 no_such_user");
}

TEST_F(SessionRoutesTest, TheSecondFactorIsAskedForAndTaken) {
  auto mine = cookies_of(sign_in());
  auto begun = server_.send("POST", "/api/v1/me/totp", {}, mine);
  ASSERT_EQ(begun.head.status, 201U) << begun.body;
  EXPECT_THAT(std::string{object_of(begun)["uri"].as_string()},
              testing::StartsWith("otpauth://totp/Gantry:ada?secret="));
  auto alone = server_.send("PUT", "/api/v1/me/totp", R"({"code":"wrong"})", mine);
  EXPECT_EQ(refusal_of(alone), "400 invalid_field");
  auto wrong = server_.send("PUT", "/api/v1/me/totp",
                            R"({"code":"wrong","password":"correct horse"})", mine);
  EXPECT_EQ(refusal_of(wrong), "403 bad_code");
  EXPECT_EQ(sign_in().head.status, 201U);
  EXPECT_EQ(object_of(server_.send("GET", "/api/v1/me", {}, mine))["totp"], false);
  auto removed = server_.send("DELETE", "/api/v1/me/totp", R"({"password":"correct horse"})", mine);
  EXPECT_EQ(refusal_of(removed), "404 no_totp");
}

TEST_F(SessionRoutesTest, ABrowserThatHasSignedInIsKnownByItsCookie) {
  auto known = cookies_of(sign_in());
  EXPECT_THAT(std::string{known.get("Cookie")}, testing::HasSubstr("gantry_device_"));
  // From this address nobody is signed in any more, and somebody guesses.
  for (const auto& session : server_.access().sessions(server_.access().users()[0].id)) {
    server_.loop().run(
        server_.access().end_session(server_.owner(), server_.owner().user, session.id));
  }
  for (int i = 0; i < 10; ++i) {
    server_.send("POST", "/api/v1/sessions", R"({"name":"ada","password":"some guess"})");
  }
  EXPECT_EQ(refusal_of(sign_in()), "429 too_many_attempts");
  EXPECT_EQ(sign_in("", known).head.status, 201U);
}

TEST_F(SessionRoutesTest, TheAuditLogIsExportedAsLines) {
  for (int i = 0; i < 5; ++i) sign_in();
  auto text = server_.read_stream("/api/v1/audit/export?after=1", server_.local());
  auto lines = text::split(text::trimmed(text), '\n');
  ASSERT_GE(lines.size(), 5U);
  std::int64_t sequence = 2;
  std::string previous;
  for (auto line : lines) {
    auto record = value_or_throw(json::parse(line, json::Keys::strict)).as_object();
    EXPECT_EQ(record["sequence"].as_int64(), sequence++);
    if (!previous.empty()) EXPECT_EQ(record["previous_hash"].as_string(), previous);
    previous = record["hash"].as_string();
  }
  EXPECT_EQ(refusal_of(server_.ask("GET", "/api/v1/audit/export?after=-1")),
            "400 invalid_parameter");
}

}  // namespace
}  // namespace gantry::api
