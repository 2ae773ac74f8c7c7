#include "api/routes.hpp"
#include "api/testing_fake.hpp"
#include "async/deadline.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using access::Role;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto program = R"({"language":"python","source":"42"})";
constexpr std::string_view executions_path = "/api/v1/executions";

/// Two operators and an admin: what is one operator's, the other does not even see.
class OwnershipTest : public testing::Test {
 protected:
  TestServer::Headers someone(const std::string& name, Role role) {
    auto user = server_.add_user(name, role);
    return TestServer::bearer(server_.add_token(user, role, {"executions", "system"}));
  }
  TestServer::Response send(const TestServer::Headers& who, std::string method, std::string target,
                            std::string body = {}) {
    return server_.send(std::move(method), std::move(target), std::move(body), who);
  }
  std::string placed(const TestServer::Headers& who, std::string query = "?wait=true") {
    return id_in(object_of(send(who, "POST", std::string{executions_path} + query, program)));
  }
  static std::string id_in(const json::Object& object) {
    return std::string{object.at("id").as_string().c_str()};
  }
  std::vector<std::string> listed(const TestServer::Headers& who, std::string query = {}) {
    std::vector<std::string> ids;
    auto answer = object_of(send(who, "GET", std::string{executions_path} + query));
    for (const auto& item : answer["items"].as_array()) ids.push_back(id_in(item.as_object()));
    return ids;
  }
  /// What every route that names an execution says to somebody.
  std::vector<std::string> crawl(TestServer::Headers who, const std::string& id) {
    who.set("Upgrade", "websocket");
    std::vector<std::string> refusals;
    for (const auto& route : routes()) {
      if (!route.path.starts_with("/api/v1/executions/{id}")) continue;
      std::string path{route.path};
      path.replace(path.find("{id}"), 4, id);
      if (auto index = path.find("{index}"); index != path.npos) path.replace(index, 7, "0");
      auto refusal = refusal_of(send(who, std::string{route.method}, path));
      refusals.push_back(fmt::format("{} {}: {}", route.method, route.path, refusal));
    }
    return refusals;
  }

  TestServer server_;
  TestServer::Headers ann_ = someone("ann", Role::operator_);
  TestServer::Headers ben_ = someone("ben", Role::operator_);
  TestServer::Headers cat_ = someone("cat", Role::admin);
};

TEST_F(OwnershipTest, NoRouteTellsSomebodyElsesFromNone) {
  server_.sandbox().outcome.artifacts = {{"a.txt", "x"}};
  auto ended = placed(ann_);
  server_.sandbox().hold();
  auto running = placed(ann_, "");
  for (const auto& id : {ended, running, std::string{"01none"}}) {
    auto refusals = crawl(ben_, id);
    EXPECT_EQ(refusals.size(), 6U);
    EXPECT_THAT(refusals, testing::Each(HasSubstr("404 no_such_execution"))) << id;
  }
  server_.sandbox().release();
}

TEST_F(OwnershipTest, ItsOwnerReadsAllOfIt) {
  server_.sandbox().outcome.artifacts = {{"a.txt", "x"}};
  auto id = placed(ann_);
  auto path = fmt::format("{}/{}", executions_path, id);
  for (const auto* part : {"", "/artifacts", "/artifacts/0", "/events"}) {
    EXPECT_EQ(send(ann_, "GET", path + part).head.status, 200U) << part;
  }
}

TEST_F(OwnershipTest, AnAdminReadsAndCancelsEverybodys) {
  server_.sandbox().hold();
  auto id = placed(ann_, "");
  auto path = fmt::format("{}/{}", executions_path, id);
  EXPECT_EQ(send(cat_, "GET", path).head.status, 200U);
  EXPECT_EQ(send(cat_, "DELETE", path).head.status, 202U);
}

TEST_F(OwnershipTest, ListsHaveOnesOwnOnly) {
  auto anns = placed(ann_);
  auto bens = placed(ben_);
  EXPECT_THAT(listed(ann_), ElementsAre(anns));
  EXPECT_THAT(listed(ben_), ElementsAre(bens));
  EXPECT_THAT(listed(cat_), ElementsAre(bens, anns));
}

TEST_F(OwnershipTest, ABatchIsItsOwners) {
  auto body = fmt::format(R"({{"executions":[{},{}]}})", program, program);
  auto answer = object_of(send(ann_, "POST", "/api/v1/executions/batch", body));
  auto query = fmt::format("?batch={}", answer["batch"].as_string().c_str());
  EXPECT_EQ(listed(ann_, query).size(), 2U);
  EXPECT_THAT(listed(ben_, query), IsEmpty());
}

TEST_F(OwnershipTest, WhatTheOtherFrontsRanIsTheirCallersToo) {
  send(ann_, "POST", "/execute", R"({"script":"ls"})");
  send(ann_, "POST", "/api/v2/execute",
       R"({"language":"python","version":"*","files":[{"content":"1"}]})");
  auto call = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"execute_code",)"
              R"("arguments":{"language":"python","code":"1"}}})";
  auto headers = ann_;
  headers.set("Accept", "application/json, text/event-stream");
  send(headers, "POST", "/mcp", call);
  EXPECT_EQ(listed(ann_).size(), 3U);
  EXPECT_THAT(listed(ben_), IsEmpty());
}

TEST_F(OwnershipTest, TheSameIdempotencyKeyOfSomebodyElseIsAnother) {
  auto key = [](TestServer::Headers who) {
    who.set("Idempotency-Key", "k");
    return who;
  };
  auto anns = placed(key(ann_));
  EXPECT_EQ(placed(key(ann_)), anns);
  EXPECT_NE(placed(key(ben_)), anns);
}

async::task<void> subscribe(net::WebSocket& socket) {
  co_await socket.send(net::WebSocket::Kind::text, R"({"subscribe":"executions"})");
  co_await socket.send(net::WebSocket::Kind::text, R"({"subscribe":"host:nowhere"})");
}

async::task<std::string> hear(net::WebSocket& socket) {
  auto message = co_await async::with_deadline(Milliseconds{60'000}, "hearing", socket.receive());
  co_return message ? message->data : "closed";
}

TEST_F(OwnershipTest, TheLiveChannelTellsOfOnesOwnOnly) {
  auto socket = server_.loop().run(server_.open_socket("/api/v1/live", ben_));
  server_.loop().run(subscribe(socket));
  // Once the second one is refused the first has been understood.
  EXPECT_THAT(server_.loop().run(hear(socket)), HasSubstr("host:nowhere"));
  auto anns = placed(ann_);
  auto bens = placed(ben_);
  auto told = server_.loop().run(hear(socket));
  EXPECT_THAT(told, HasSubstr(bens));
  EXPECT_THAT(told, Not(HasSubstr(anns)));
}

}  // namespace
}  // namespace gantry::api
