#include "api/testing_fake.hpp"
#include "async/deadline.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Who is told why the engine could not be used for an execution, in every protocol.
namespace gantry::api {
namespace {

using access::Role;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr auto inside =
    "cannot reach the engine on 'unix:///run/docker.sock': user 'gantry' is not in group 'docker'; "
    "'sudo usermod -aG docker gantry'";
constexpr auto plain = "the engine of the sandboxes can not be used; ask who runs this server";

async::task<void> say(net::WebSocket& socket, std::string text) {
  co_await socket.send(net::WebSocket::Kind::text, text);
}

async::task<std::string> hear_all(net::WebSocket& socket) {
  std::string said;
  while (auto message = co_await socket.receive()) said += message->data;
  co_return said;
}

class ExecutionSightTest : public testing::Test {
 protected:
  ExecutionSightTest() {
    server_.sandbox().outcome = {{.verdict = sandbox::Verdict::infrastructure_error,
                                  .message = inside,
                                  .error_code = "engine_permission_denied"}};
  }
  TestServer::Headers someone(Role role, std::vector<access::Grant> grants = {}) {
    auto user = server_.add_user(fmt::format("user-{}", ++users_), role);
    if (!grants.empty()) {
      value_or_throw(server_.loop().run(
          server_.access().set_grants(server_.owner(), user.user, std::move(grants))));
    }
    return TestServer::bearer(server_.add_token(user, role, {"executions"}));
  }
  std::string answer(const TestServer::Headers& who, std::string target, std::string body) {
    return server_.send("POST", std::move(target), std::move(body), who).body;
  }
  std::string by_socket(const TestServer::Headers& who, std::string target, std::string first) {
    auto socket = server_.loop().run(server_.open_socket(std::move(target), who));
    if (!first.empty()) server_.loop().run(say(socket, std::move(first)));
    return server_.loop().run(
        async::with_deadline(Milliseconds{60'000}, "hearing", hear_all(socket)));
  }
  /// All that somebody hears of what they ran, by protocol.
  std::vector<std::string> told_in_json(const TestServer::Headers& who) {
    auto run = server_.send("POST", "/api/v1/executions?wait=true",
                            R"({"language":"python","source":"1"})", who);
    auto path = fmt::format("/api/v1/executions/{}", object_of(run)["id"].as_string().c_str());
    return {run.body, server_.send("GET", path, {}, who).body,
            server_.read_stream(path + "/events", who), by_socket(who, path + "/stream", {})};
  }
  std::vector<std::string> told_by_others(TestServer::Headers who) {
    constexpr auto job = R"("language":"python","version":"*","files":[{"content":"1"}])";
    auto piston = fmt::format("{{{}}}", job);
    auto init = fmt::format(R"({{"type":"init",{}}})", job);
    auto tool = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"execute_code",)"
                R"("arguments":{"language":"python","code":"1"}}})";
    return {answer(who, "/execute", R"({"script":"ls"})"), answer(who, "/api/v2/execute", piston),
            by_socket(who, "/api/v2/connect", init), answer(who, "/mcp", tool)};
  }
  void expect_plain(const TestServer::Headers& who) {
    auto in_json = told_in_json(who);
    EXPECT_THAT(in_json, testing::Each(HasSubstr(R"("error_code":"engine_permission_denied")")));
    auto by_others = told_by_others(who);
    for (const auto& told : {in_json, by_others}) {
      EXPECT_THAT(told, testing::Each(AllOf(HasSubstr(plain), Not(HasSubstr("usermod")),
                                            Not(HasSubstr("docker.sock")))));
    }
  }
  void expect_all(const TestServer::Headers& who) {
    EXPECT_THAT(told_in_json(who), testing::Each(HasSubstr(inside)));
    EXPECT_THAT(told_by_others(who), testing::Each(HasSubstr(inside)));
  }

  TestServer server_;
  int users_ = 0;
};

TEST_F(ExecutionSightTest, AnExecutorLearnsNothingOfTheHost) {
  expect_plain(someone(Role::executor));
}

TEST_F(ExecutionSightTest, WhoHasAProjectLearnsNothingOfItsHost) {
  expect_plain(
      someone(Role::operator_, {{.host = "local", .project = "shop", .role = Role::operator_}}));
}

TEST_F(ExecutionSightTest, WhoHasAnotherHostLearnsNothingOfThisOne) {
  expect_plain(someone(Role::operator_, {{.group = "elsewhere", .role = Role::operator_}}));
}

TEST_F(ExecutionSightTest, WhoSeesTheHostIsToldAll) {
  expect_all(someone(Role::operator_));
  expect_all(someone(Role::operator_, {{.host = "local", .role = Role::operator_}}));
  expect_all(server_.local());
}

TEST_F(ExecutionSightTest, WhatIsNotOfTheWayIsEverybodys) {
  constexpr auto missing = "cannot pull image 'python:3.11-alpine': there is no such image";
  server_.sandbox().outcome.message = missing;
  server_.sandbox().outcome.error_code = "no_such_image";
  EXPECT_THAT(told_in_json(someone(Role::executor)), testing::Each(HasSubstr(missing)));
}

}  // namespace
}  // namespace gantry::api
