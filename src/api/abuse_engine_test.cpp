#include "api/routes.hpp"
#include "api/testing_fake.hpp"

#include <array>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

// The engine's API is no part of ours: whatever way there is in it, asked for here by who may do
// everything, it is not there, and the engine hears nothing.
namespace gantry::api {
namespace {

/// Of https://docs.docker.com/engine/api/v1.41/, every path.
constexpr std::array engine_paths{
    "GET /containers/json",
    "POST /containers/create",
    "GET /containers/web/json",
    "GET /containers/web/top",
    "GET /containers/web/logs",
    "GET /containers/web/changes",
    "GET /containers/web/export",
    "GET /containers/web/stats",
    "POST /containers/web/resize",
    "POST /containers/web/start",
    "POST /containers/web/stop",
    "POST /containers/web/restart",
    "POST /containers/web/kill",
    "POST /containers/web/update",
    "POST /containers/web/rename",
    "POST /containers/web/pause",
    "POST /containers/web/unpause",
    "POST /containers/web/attach",
    "GET /containers/web/attach/ws",
    "POST /containers/web/wait",
    "DELETE /containers/web",
    "HEAD /containers/web/archive",
    "GET /containers/web/archive",
    "PUT /containers/web/archive",
    "POST /containers/prune",
    "POST /containers/web/exec",
    "POST /exec/e1/start",
    "POST /exec/e1/resize",
    "GET /exec/e1/json",
    "GET /images/json",
    "POST /images/create",
    "GET /images/web/json",
    "GET /images/web/history",
    "POST /images/web/push",
    "POST /images/web/tag",
    "DELETE /images/web",
    "GET /images/search",
    "POST /images/prune",
    "GET /images/web/get",
    "GET /images/get",
    "POST /images/load",
    "POST /build",
    "POST /build/prune",
    "POST /commit",
    "POST /auth",
    "GET /info",
    "GET /version",
    "GET /_ping",
    "HEAD /_ping",
    "GET /system/df",
    "GET /events",
    "GET /volumes",
    "POST /volumes/create",
    "GET /volumes/data",
    "PUT /volumes/data",
    "DELETE /volumes/data",
    "POST /volumes/prune",
    "GET /networks",
    "GET /networks/front",
    "DELETE /networks/front",
    "POST /networks/create",
    "POST /networks/front/connect",
    "POST /networks/front/disconnect",
    "POST /networks/prune",
    "GET /nodes",
    "GET /nodes/n1",
    "DELETE /nodes/n1",
    "POST /nodes/n1/update",
    "GET /swarm",
    "POST /swarm/init",
    "POST /swarm/join",
    "POST /swarm/leave",
    "POST /swarm/update",
    "GET /swarm/unlockkey",
    "POST /swarm/unlock",
    "GET /services",
    "POST /services/create",
    "GET /services/s1",
    "DELETE /services/s1",
    "POST /services/s1/update",
    "GET /services/s1/logs",
    "GET /tasks",
    "GET /tasks/t1",
    "GET /tasks/t1/logs",
    "GET /secrets",
    "POST /secrets/create",
    "GET /secrets/s1",
    "DELETE /secrets/s1",
    "POST /secrets/s1/update",
    "GET /configs",
    "POST /configs/create",
    "GET /configs/c1",
    "DELETE /configs/c1",
    "POST /configs/c1/update",
    "GET /plugins",
    "GET /plugins/privileges",
    "POST /plugins/pull",
    "GET /plugins/p1/json",
    "DELETE /plugins/p1",
    "POST /plugins/p1/enable",
    "POST /plugins/p1/disable",
    "POST /plugins/p1/upgrade",
    "POST /plugins/create",
    "POST /plugins/p1/push",
    "POST /plugins/p1/set",
    "GET /distribution/web/json",
    "POST /session",
    "POST /grpc",
};

/// Those that are called the same here. They have a meaning of their own and a typed form: what
/// they do is told by their own tests.
const std::set<std::string> called_alike{
    "GET /api/v1/events",
    "GET /api/v1/hosts/local/volumes",
    "GET /api/v1/hosts/local/networks",
    "GET /api/v1/hosts/local/containers/web/top",
    "GET /api/v1/hosts/local/containers/web/logs",
    "GET /api/v1/hosts/local/containers/web/changes",
    "GET /api/v1/hosts/local/containers/web/stats",
    "POST /api/v1/hosts/local/containers/web/start",
    "POST /api/v1/hosts/local/containers/web/stop",
    "POST /api/v1/hosts/local/containers/web/restart",
    "POST /api/v1/hosts/local/containers/web/kill",
    "POST /api/v1/hosts/local/containers/web/update",
    "POST /api/v1/hosts/local/containers/web/rename",
    "POST /api/v1/hosts/local/containers/web/pause",
    "POST /api/v1/hosts/local/containers/web/unpause",
    "POST /api/v1/hosts/local/containers/web/exec",
    "DELETE /api/v1/hosts/local/containers/web",
    "POST /api/v1/hosts/local/images/web/tag",
    "DELETE /api/v1/hosts/local/images/web",
    "POST /api/v1/hosts/local/images/prune",
    "GET /api/v1/hosts/local/images/search",  // an image of that name
    "GET /api/v1/hosts/local/images/get",
    "GET /api/v1/hosts/local/images/json",
    "GET /api/v1/hosts/local/containers/json",
    "GET /api/v1/hosts/local/volumes/data",
    "DELETE /api/v1/hosts/local/volumes/data",
    "POST /api/v1/hosts/local/volumes/prune",
    "GET /api/v1/hosts/local/networks/front",
    "DELETE /api/v1/hosts/local/networks/front",
    "POST /api/v1/hosts/local/networks/front/connect",
    "POST /api/v1/hosts/local/networks/front/disconnect",
    "POST /api/v1/hosts/local/networks/prune",
};

TEST(AbuseEngineTest, NoPathOfTheEnginesApiLeadsToIt) {
  TestServer server;
  std::set<std::string> alike;
  for (std::string_view line : engine_paths) {
    auto space = line.find(' ');
    std::string method{line.substr(0, space)};
    for (std::string_view before :
         {"", "/v1.41", "/api", "/api/v1", "/api/v1/hosts/local", "/api/v1/hosts/local/v1.41"}) {
      auto target = fmt::format("{}{}", before, line.substr(space + 1));
      if (find_route(method, value_or_throw(Target::parse(target))).route != nullptr) {
        alike.insert(method + " " + target);
        continue;
      }
      auto answer = server.ask(method, target, method == "GET" ? "" : "{}");
      auto what = fmt::format("{} {} {}", method, target, answer.body);
      // Places of the console are the same page whatever their name, and nothing but it.
      if (answer.head.status < 400) {
        EXPECT_EQ(answer.head.headers.get("Content-Type"), "text/html; charset=utf-8") << what;
        EXPECT_TRUE(method == "GET" || method == "HEAD") << what;
      } else {
        EXPECT_TRUE(answer.head.status == 404 || answer.head.status == 405) << what;
      }
    }
  }
  EXPECT_EQ(alike, called_alike);
  EXPECT_TRUE(server.daemon().requests().empty());
}

TEST(AbuseEngineTest, NoHeaderMakesAnotherRequestOfOne) {
  TestServer server;
  auto headers = server.local();
  for (const auto* name : {"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"}) {
    headers.set(name, "DELETE");
  }
  for (const auto* name : {"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Path"}) {
    headers.set(name, "/v1.41/info");
  }
  headers.set("X-Forwarded-Host", "evil.example");
  headers.set("Forwarded", "for=127.0.0.1;host=evil.example;proto=https");
  auto answer = server.send("GET", "/api/v1/me", {}, headers);
  EXPECT_EQ(answer.head.status, 200U);
  EXPECT_EQ(answer.body.find("evil"), std::string::npos);
  EXPECT_TRUE(server.daemon().requests().empty());
}

}  // namespace
}  // namespace gantry::api
