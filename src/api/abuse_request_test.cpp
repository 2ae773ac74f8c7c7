#include "api/routes.hpp"
#include "api/testing_fake.hpp"
#include "base/encoding.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

// Requests as nobody means them, on every route there is: each is refused for what it is, and no
// engine hears of it.
namespace gantry::api {
namespace {

using access::Role;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string target_of(const Route& route) {
  auto target = text::replaced(text::replaced(route.path, "{id}", "local"), "{part}", "web");
  return text::replaced(target, "{index}", "0");
}

class AbuseRequestTest : public testing::Test {
 protected:
  ~AbuseRequestTest() override {
    EXPECT_TRUE(server_.daemon().requests().empty()) << server_.daemon().requests().front();
    EXPECT_TRUE(server_.sandbox().seen.empty());
  }
  /// A request with these lines behind its first one and `Host`.
  std::string raw(std::string_view line, std::string_view fields, std::string_view body = {}) {
    return server_.send_raw(fmt::format("{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}\r\n{}",
                                        line, server_.host(), fields, body));
  }
  std::string token_line() {
    return fmt::format("Authorization: Bearer {}\r\n", server_.access().local_token().reveal());
  }
  TestServer server_;
};

TEST_F(AbuseRequestTest, NoBadCredentialOpensAnything) {
  auto gone = server_.add_user("gone", Role::admin);
  auto of_nobody =
      server_.add_token(gone, Role::admin, {"executions", "containers", "system", "access"});
  auto removed = server_.ask("DELETE", "/api/v1/users/" + gone.user.text());
  ASSERT_EQ(removed.head.status, 204U);
  auto ended = server_.cookie();
  ASSERT_EQ(server_
                .send("DELETE", "/api/v1/sessions/current", {},
                      {{"Cookie", ended}, {"Sec-Fetch-Site", "same-origin"}})
                .head.status,
            204U);
  auto good = server_.cookie();
  auto value = good.substr(good.find('=') + 1);
  auto local = std::string{server_.access().local_token().reveal()};
  const std::vector<net::http::Headers> bad{
      TestServer::bearer("gantry_" + std::string(50, 'a')),
      TestServer::bearer(of_nobody),
      TestServer::bearer(local.substr(0, local.size() - 1)),
      TestServer::bearer(value),
      {{"Authorization", "Basic YWRhOmNvcnJlY3QgaG9yc2U="}},
      {{"Authorization", "Bearer " + local}, {"Authorization", "Bearer " + local}},
      {{"X-Api-Key", local}, {"X-Gantry-Token", local}, {"X-Forwarded-User", "ada"}},
      {{"Cookie", ended}, {"Sec-Fetch-Site", "same-origin"}},
      {{"Cookie", good + "; " + good}, {"Sec-Fetch-Site", "same-origin"}},
      {{"Cookie", fmt::format("gantry_1={}; __Host-gantry={}", value, value)},
       {"Sec-Fetch-Site", "same-origin"}},
      {{"Cookie", fmt::format("gantry_{}={}", server_.port(), of_nobody)},
       {"Sec-Fetch-Site", "same-origin"}},
  };
  for (const auto& route : routes()) {
    if (route.least == Least::open) continue;
    for (std::size_t i = 0; i < bad.size(); ++i) {
      auto answer = server_.send(std::string{route.method}, target_of(route),
                                 route.body == Body::none ? "" : "{}", bad[i]);
      EXPECT_EQ(answer.head.status, 401U) << i << ' ' << route.method << ' ' << route.path;
    }
  }
}

TEST_F(AbuseRequestTest, AFormOfAnotherSiteIsNoJson) {
  for (const auto& route : routes()) {
    if (route.body != Body::json) continue;
    for (const auto* type : {"text/plain", "application/x-www-form-urlencoded",
                             "multipart/form-data; boundary=x", "application/json+evil", "*/*"}) {
      auto headers = server_.local();
      headers.set("Content-Type", type);
      auto answer = server_.send(std::string{route.method}, target_of(route), "{}", headers);
      EXPECT_EQ(answer.head.status, 415U) << route.method << ' ' << route.path << ' ' << type;
    }
    auto line = fmt::format("{} {}", route.method, target_of(route));
    EXPECT_THAT(raw(line, token_line() + "Content-Length: 2\r\n", "{}"),
                StartsWith("HTTP/1.1 415 "))
        << line;
  }
}

TEST_F(AbuseRequestTest, ACompressedBodyIsNotUnpacked) {
  EXPECT_THAT(raw("POST /api/v1/executions",
                  token_line() + "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
                                 "Content-Length: 10\r\n",
                  std::string_view{"\x1f\x8b\x08\0\0\0\0\0\0\0", 10}),
              StartsWith("HTTP/1.1 415 "));
}

TEST_F(AbuseRequestTest, ATrailerIsNoHeader) {
  constexpr std::string_view chunks = "2\r\n{}\r\n0\r\n";
  auto fields = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n";
  auto late = fmt::format("{}{}\r\n", chunks, token_line());
  EXPECT_THAT(raw("POST /api/v1/tokens", fields, late), StartsWith("HTTP/1.1 401 "));
  auto other_host = fmt::format("{}Host: evil.example\r\n\r\n", chunks);
  EXPECT_THAT(raw("POST /api/v1/tokens", token_line() + fields, other_host),
              StartsWith("HTTP/1.1 400 "));
}

TEST_F(AbuseRequestTest, ConnectionTakesNoHeaderAway) {
  EXPECT_THAT(raw("GET /api/v1/me", "Connection: Authorization\r\n" + token_line()),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(raw("GET /api/v1/me", "Connection: Cookie\r\n"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(raw("DELETE /api/v1/sessions/current",
                  fmt::format("Connection: Origin, Sec-Fetch-Site\r\nCookie: {}\r\n"
                              "Origin: http://evil.example\r\n",
                              server_.cookie())),
              StartsWith("HTTP/1.1 403 "));
}

TEST_F(AbuseRequestTest, NoOtherProtocolIsSpoken) {
  auto answer = raw("GET /api/v1/me",
                    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                    "HTTP2-Settings: AAMAAABkAAQAAP__\r\n" +
                        token_line());
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
}

TEST_F(AbuseRequestTest, ManyRangesAreOneWholeAnswer) {
  std::string ranges = "Range: bytes=0-";
  for (int i = 1; i < 1'000; ++i) ranges += fmt::format(",{}-", i);
  auto answer = raw("GET /api/openapi.yaml", ranges + "\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr(fmt::format("Content-Length: {}\r\n", openapi_document().size())));
}

TEST_F(AbuseRequestTest, ManyCodingsToAcceptAreNone) {
  std::string codings = "Accept-Encoding: gzip";
  for (int i = 0; i < 2'000; ++i) codings += ", br;q=0.0";
  EXPECT_THAT(raw("GET /api/openapi.yaml", codings + "\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(AbuseRequestTest, OddPathsAreNoWayAroundTheTable) {
  for (const auto* target :
       {"//api/v1/users", "/api//v1/users", "/api/v1/users/", "/api/v1/./users",
        "/api/v1/me/../users", "/api/v1/me/..;/users", "/api/v1/me/%2e%2e/users",
        "/api/v1/me%2f..%2fusers", "/API/V1/users", "/api/v1/users%00", "/api/v1/users%0d%0a",
        "/api/v1/users;x=1", "/api/v1%2fusers", "/api/v1/%75sers%2f", "/api/v1/users%c0%af",
        "/api/v1/\\users", "/health/../api/v1/users", "/api/openapi.yaml/../v1/users"}) {
    auto answer = server_.send("GET", target);
    // What is no path of the API is a place of the console, or nothing.
    bool page = answer.head.headers.get("Content-Type").starts_with("text/html");
    EXPECT_TRUE(answer.head.status == 200 ? page : answer.head.status < 500)
        << target << ' ' << answer.head.status;
    EXPECT_THAT(answer.body, Not(HasSubstr("ada"))) << target;
  }
}

/// Texts that mean something to a database, a shell, a formatter or a terminal.
const std::vector<std::string> hostile{"' OR '1'='1",
                                       "x'; DELETE users; --",
                                       "%' UNION SELECT 1 --",
                                       "\" OR 1=1 --",
                                       "$(id)",
                                       "`id`",
                                       "-oProxyCommand=id",
                                       "%n%s%p%x",
                                       "{}{0}{:x}",
                                       "a\nb",
                                       "a\x1b]52;c;eA",
                                       "(a+)+$",
                                       "\xe2\x80\xae",
                                       "../../etc",
                                       "*"};

/// What the contract says can be asked of it.
std::vector<std::string> parameters_of(const YAML::Node& contract, const std::string& path) {
  std::vector<std::string> names;
  const auto shared = contract["components"]["parameters"];
  for (const auto& parameter : contract["paths"][path]["get"]["parameters"]) {
    auto reference = parameter["$ref"] ? parameter["$ref"].as<std::string>() : std::string{};
    const YAML::Node told = reference.empty() ? YAML::Node{parameter}
                                              : shared[reference.substr(reference.rfind('/') + 1)];
    if (told["in"].as<std::string>() == "query") names.push_back(told["name"].as<std::string>());
  }
  return names;
}

TEST_F(AbuseRequestTest, NoParameterIsMoreThanAText) {
  auto contract = YAML::Load(std::string{openapi_document()});
  auto users = server_.ask("GET", "/api/v1/users").body;
  int asked = 0;
  for (const auto& route : routes()) {
    // Those would tell for as long as somebody listens.
    bool endless = route.path == "/api/v1/events" || route.path == "/api/v1/live";
    if (route.method != "GET" || endless) continue;
    for (const auto& name : parameters_of(contract, std::string{route.path})) {
      for (const auto& value : hostile) {
        auto target = fmt::format("{}?{}={}", text::replaced(target_of(route), "local", "nowhere"),
                                  name, encoding::percent(value));
        auto status = server_.ask("GET", target).head.status;
        EXPECT_TRUE(status < 500 || status == 503) << target << ' ' << status;
        ++asked;
      }
    }
  }
  EXPECT_GT(asked, 300);
  EXPECT_EQ(server_.ask("GET", "/api/v1/users").body, users);
  EXPECT_THAT(server_.ask("GET", "/api/v1/audit/check").body, HasSubstr(R"("broken_at":null)"));
}

TEST_F(AbuseRequestTest, NoEndpointOfAHostIsAWayElsewhere) {
  for (const auto* endpoint : {"file:///etc/passwd",
                               "gopher://127.0.0.1:6379/_x",
                               "http://169.254.169.254/latest",
                               "https://host",
                               "fd://3",
                               "npipe:////./pipe/docker_engine",
                               "tcp://a@b#@c:1",
                               "tcp://host:2375/../x",
                               "tcp://host:0",
                               "tcp://host:65536",
                               "tcp://[fe80::1%25eth0]:1",
                               "tcp://ho st:1",
                               "tcp://host\r\nX: y:1",
                               "unix://relative.sock",
                               "unix:///a/../../b\n",
                               "ssh://-oProxyCommand=id",
                               "ssh://user@-host",
                               "ssh://host;id",
                               "ssh://a$(id)@host",
                               "ssh://host:22:22",
                               ""}) {
    auto body = json::serialize(json::Object{{"name", "edge"}, {"endpoint", endpoint}});
    EXPECT_EQ(refusal_of(server_.ask("POST", "/api/v1/hosts", body)), "400 invalid_field")
        << endpoint;
  }
}

}  // namespace
}  // namespace gantry::api
