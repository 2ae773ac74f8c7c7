#include "api/routes.hpp"

#include "api/testing_fake.hpp"
#include "base/text.hpp"

#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace gantry::api {
namespace {

using access::Role;
using access::Scope;

/// `GET /api/v1/me viewer none`
std::set<std::string> table_lines() {
  std::set<std::string> lines;
  for (const auto& route : routes()) {
    auto scope = route.scope ? access::word(*route.scope) : std::string_view{"none"};
    lines.insert(fmt::format("{} {} {} {}", route.method, route.path, word(route.least), scope));
  }
  return lines;
}

std::string upper(std::string text) {
  for (auto& c : text) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return text;
}

std::set<std::string> contract_lines() {
  std::set<std::string> lines;
  auto contract = YAML::Load(std::string{openapi_document()});
  for (const auto& path : contract["paths"]) {
    for (const auto& operation : path.second) {
      auto method = upper(operation.first.as<std::string>());
      if (method == "PARAMETERS") continue;
      lines.insert(fmt::format("{} {} {} {}", method, path.first.as<std::string>(),
                               operation.second["x-role"].as<std::string>(),
                               operation.second["x-scope"].as<std::string>()));
    }
  }
  return lines;
}

TEST(RouteTableTest, TheTableAndTheContractSayTheSame) {
  EXPECT_EQ(table_lines(), contract_lines());
}

TEST(RouteTableTest, NoMethodAndPathComeTwice) { EXPECT_EQ(table_lines().size(), routes().size()); }

TEST(RouteTableTest, EveryRouteThatReadsABodyHasACap) {
  for (const auto& route : routes()) {
    EXPECT_EQ(route.body != Body::none, route.body_max.count > 0) << route.path;
  }
}

/// A path of the route with something in the places of `{id}` and the like.
std::string target_of(const Route& route) {
  std::string path;
  for (auto part : text::split(route.path.substr(1), '/')) {
    path += '/';
    if (part == "{index}") {
      path += '0';
    } else {
      path += part.starts_with('{') ? "01nothing" : part;
    }
  }
  return path;
}

const std::set<std::string> handlers_refusals{
    "403 session_required", "403 current_password_required", "403 no_password", "503 no_backups"};

class RightsTest : public testing::Test {
 protected:
  RightsTest() { server_.daemon().expect("GET", "/images/json").reply(200, "[]").always(); }

  net::http::Response answer(const Route& route, TestServer::Headers headers) {
    std::string body = route.body == Body::none ? "" : "[]";
    auto target = target_of(route);
    // It would tell of events for as long as somebody listens.
    if (route.path == "/api/v1/events") target += "?unknown=1";
    return server_.send(std::string{route.method}, target, body, std::move(headers));
  }
  unsigned status(const Route& route, TestServer::Headers headers) {
    return answer(route, std::move(headers)).head.status;
  }
  /// Whether the answer is one of a handler, whatever it thought of the request.
  bool passes(const Route& route, const TestServer::Headers& headers) {
    auto got = answer(route, headers);
    auto status = got.head.status;
    // What takes a session and a password, or what this server does not have: handlers say so.
    if (status != 403 && status < 500) return status != 401;
    return handlers_refusals.contains(refusal_of(got));
  }
  std::string token(const access::Identity& by, std::vector<std::string> scopes) {
    return server_.add_token(by, by.role, std::move(scopes));
  }
  /// Nobody has more than a hundred tokens: of many routes, each some get somebody else's.
  access::Identity user_for(std::size_t route, Role role) {
    constexpr std::size_t routes_each = 40;
    if (route % routes_each == 0) {
      user_ = server_.add_user(fmt::format("the-{}-{}", access::word(role), route), role);
    }
    return user_;
  }

  TestServer server_;
  access::Identity user_;
};

const std::vector<std::string> all_scopes{"executions", "containers", "system", "access"};

TEST_F(RightsTest, WithoutACredentialOnlyOpenRoutesAnswer) {
  for (const auto& route : routes()) {
    EXPECT_EQ(status(route, {}) == 401, route.least != Least::open) << route.method << route.path;
  }
}

TEST_F(RightsTest, EachRolePassesWhereTheTableSaysSo) {
  for (auto role : access::all_roles) {
    for (std::size_t i = 0; i < routes().size(); ++i) {
      const auto& route = routes()[i];
      auto who = user_for(i, role);
      // Signing out works once, and this test's tokens are no sessions: each call gets its own.
      auto headers = TestServer::bearer(token(who, all_scopes));
      bool may = allows(route.least, role);
      EXPECT_EQ(passes(route, headers), may)
          << access::word(role) << ' ' << route.method << ' ' << route.path;
      if (!may) EXPECT_EQ(status(route, headers), 403U) << route.path;
    }
  }
}

TEST_F(RightsTest, ATokenOpensOnlyItsScopes) {
  for (std::size_t i = 0; i < routes().size(); ++i) {
    const auto& route = routes()[i];
    auto admin = user_for(i, Role::admin);
    if (!route.scope) continue;
    std::vector<std::string> others;
    for (const auto& scope : all_scopes) {
      if (scope != access::word(*route.scope)) others.push_back(scope);
    }
    EXPECT_EQ(status(route, TestServer::bearer(token(admin, others))), 403U) << route.path;
    auto only = TestServer::bearer(token(admin, {std::string{access::word(*route.scope)}}));
    // A second factor is taken away, and the database copied, by who has every scope: the handlers
    // ask for them.
    if (route.path == "/api/v1/users/{id}/totp" || route.path == "/api/v1/backups") continue;
    EXPECT_TRUE(passes(route, only)) << route.method << ' ' << route.path;
  }
}

TEST_F(RightsTest, ARevokedTokenOpensNothing) {
  auto admin = server_.add_user("boss", Role::admin);
  auto text = token(admin, all_scopes);
  auto id = server_.access().tokens(admin.user).front().id;
  ASSERT_TRUE(server_.loop().run(server_.access().revoke_token(admin, id)));
  for (const auto& route : routes()) {
    if (route.least == Least::open) continue;
    EXPECT_EQ(status(route, TestServer::bearer(text)), 401U) << route.path;
  }
}

TEST_F(RightsTest, GarbageIsNoToken) {
  for (auto text :
       {"", "gantry_", "x", "gantry_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    auto answer = server_.send("GET", "/api/v1/me", {}, TestServer::bearer(text));
    EXPECT_EQ(answer.head.status, 401U) << text;
    EXPECT_EQ(answer.head.headers.get("WWW-Authenticate"), "Bearer");
  }
}

TEST_F(RightsTest, ATokenInTheAddressIsRefusedEvenWhenItIsGood) {
  auto text = token(server_.add_user("boss", Role::admin), all_scopes);
  EXPECT_EQ(refusal_of(server_.send("GET", "/api/v1/me?token=" + text)), "400 credential_in_url");
  EXPECT_EQ(refusal_of(server_.send("GET", "/api/v1/me?x=" + text)), "400 credential_in_url");
}

TEST_F(RightsTest, AnUnknownPathIsNotFoundAndAnUnknownMethodNotAllowed) {
  EXPECT_EQ(refusal_of(server_.ask("GET", "/api/v1/nothing")), "404 no_such_route");
  EXPECT_EQ(refusal_of(server_.ask("GET", "/api/v1/executions/../me")), "404 no_such_route");
  auto refused = server_.ask("PUT", "/api/v1/executions");
  EXPECT_EQ(refusal_of(refused), "405 method_not_allowed");
  EXPECT_EQ(refused.head.headers.get("Allow"), "GET, POST");
  EXPECT_EQ(
      server_.ask("OPTIONS", "/api/v1/executions").head.headers.has("Access-Control-Allow-Origin"),
      false);
}

TEST_F(RightsTest, EveryAnswerCarriesTheSecurityHeaders) {
  for (auto target : {"/", "/api/v1/me", "/health", "/nothing.js"}) {
    auto headers = server_.send("GET", target).head.headers;
    EXPECT_EQ(headers.get("X-Content-Type-Options"), "nosniff") << target;
    EXPECT_EQ(headers.get("Referrer-Policy"), "no-referrer") << target;
    EXPECT_EQ(headers.get("Cross-Origin-Opener-Policy"), "same-origin") << target;
    EXPECT_EQ(headers.get("Cross-Origin-Resource-Policy"), "same-origin") << target;
    EXPECT_THAT(std::string{headers.get("Content-Security-Policy")},
                testing::HasSubstr("default-src 'none'"))
        << target;
  }
  EXPECT_EQ(server_.send("GET", "/health").head.headers.get("Cache-Control"), "no-store");
}

}  // namespace
}  // namespace gantry::api
