#include "api/testing_fake.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using testing::HasSubstr;

async::task<void> send_text(net::WebSocket& socket, std::string text) {
  co_await socket.send(net::WebSocket::Kind::text, text);
}

async::task<std::string> receive_text(net::WebSocket& socket) {
  auto message = co_await async::with_deadline(Milliseconds{60'000}, "waiting", socket.receive());
  co_return message ? message->data : "closed";
}

class ExecutionStreamTest : public testing::Test {
 protected:
  std::string start(std::string more = R"(,"interactive":true)",
                    ScriptedExecutor::Manner manner = ScriptedExecutor::Manner::echoes) {
    server_.sandbox().manner = manner;
    auto body = fmt::format(R"({{"language":"python","source":"1"{}}})", more);
    return path_of(server_.ask("POST", "/api/v1/executions", body));
  }
  std::string start_as(std::string_view token) {
    server_.sandbox().manner = ScriptedExecutor::Manner::echoes;
    auto body = R"({"language":"python","source":"1","interactive":true})";
    return path_of(server_.send("POST", "/api/v1/executions", body, TestServer::bearer(token)));
  }
  static std::string path_of(const TestServer::Response& answer) {
    return fmt::format("/api/v1/executions/{}", object_of(answer)["id"].as_string().c_str());
  }
  /// Waits for it, 10 s at most.
  std::string verdict_of(const std::string& path) {
    for (int i = 0; i < 1'000; ++i) {
      auto execution = object_of(server_.ask("GET", path));
      if (execution["state"] == "finished") return execution["verdict"].as_string().c_str();
      server_.loop().run(async::pause(Milliseconds{10}));
    }
    return "none";
  }
  net::WebSocket open(const std::string& path, std::string query = {}) {
    return server_.loop().run(server_.open_socket(path + "/stream" + query, server_.local()));
  }
  void tell(net::WebSocket& socket, std::string text) {
    server_.loop().run(send_text(socket, std::move(text)));
  }
  std::string next(net::WebSocket& socket) { return server_.loop().run(receive_text(socket)); }
  /// The next message that holds the words; what comes before is passed over.
  std::string next_with(net::WebSocket& socket, std::string_view words) {
    for (int i = 0; i < 50; ++i) {
      auto text = next(socket);
      if (text == "closed" || text.find(words) != std::string::npos) return text;
    }
    return "nothing";
  }

  TestServer server_;
};

TEST_F(ExecutionStreamTest, WhatIsTypedComesToTheProgramAndItsAnswerBack) {
  auto path = start();
  auto socket = open(path);
  EXPECT_THAT(next_with(socket, "running"), HasSubstr(R"("stage":"run")"));
  tell(socket, R"({"type":"input","text":"hello"})");
  EXPECT_EQ(next_with(socket, "stdout"), R"({"type":"stdout","text":"hello"})");
  tell(socket, R"({"type":"input","base64":"/wo="})");
  EXPECT_EQ(next_with(socket, "stdout"), R"({"type":"stdout","base64":"/wo="})");
  tell(socket, R"({"type":"end_of_input"})");
  auto verdict = next_with(socket, "verdict");
  EXPECT_THAT(verdict, HasSubstr(R"({"type":"verdict","execution":{"id":)"));
  EXPECT_EQ(next(socket), "closed");
}

TEST_F(ExecutionStreamTest, SignalsComeToTheProgram) {
  auto socket = open(start());
  tell(socket, R"({"type":"signal","signal":"SIGTERM"})");
  EXPECT_THAT(next_with(socket, R"("type":"verdict")"), HasSubstr(R"("signal":15)"));
}

TEST_F(ExecutionStreamTest, AFinishedOneIsToldAgain) {
  server_.sandbox().out = "said";
  auto body = R"({"language":"python","source":"1"})";
  auto answer = object_of(server_.ask("POST", "/api/v1/executions?wait=true", body));
  auto path = fmt::format("/api/v1/executions/{}", answer["id"].as_string().c_str());
  auto socket = open(path);
  EXPECT_EQ(next(socket), R"({"type":"stdout","text":"said"})");
  EXPECT_THAT(next(socket), HasSubstr("verdict"));
  EXPECT_EQ(next(socket), "closed");
}

TEST_F(ExecutionStreamTest, WhatIsNotInteractiveTakesNoInput) {
  server_.sandbox().hold();
  auto socket = open(start(""));
  tell(socket, R"({"type":"input","text":"hello"})");
  EXPECT_THAT(next_with(socket, R"("type":"error")"), HasSubstr("not_interactive"));
  server_.sandbox().release();
}

TEST_F(ExecutionStreamTest, AViewersTokenWatchesItsUsersOwnAndDoesNotType) {
  auto bob = server_.add_user("bob", access::Role::operator_);
  auto path = start_as(server_.add_token(bob, access::Role::operator_, {"executions"}));
  auto token = server_.add_token(bob, access::Role::viewer, {"executions"});
  auto socket =
      server_.loop().run(server_.open_socket(path + "/stream", TestServer::bearer(token)));
  tell(socket, R"({"type":"end_of_input"})");
  EXPECT_THAT(next_with(socket, R"("type":"error")"), HasSubstr("role_missing"));
  server_.ask("DELETE", path);
}

TEST_F(ExecutionStreamTest, AnAdminWatchesWhatIsSomebodyElsesAndDoesNotTypeIntoIt) {
  auto bob = server_.add_user("bob", access::Role::operator_);
  auto path = start_as(server_.add_token(bob, access::Role::operator_, {"executions"}));
  auto socket = open(path);
  tell(socket, R"({"type":"end_of_input"})");
  EXPECT_THAT(next_with(socket, R"("type":"error")"), HasSubstr("not_yours"));
  EXPECT_EQ(server_.ask("DELETE", path).head.status, 202U);
}

async::task<void> type_much(net::WebSocket& socket, int messages) {
  auto text = fmt::format(R"({{"type":"input","text":"{}"}})", std::string(1'000, 'x'));
  for (int i = 0; i < messages; ++i) {
    co_await socket.send(net::WebSocket::Kind::text, text);
  }
}

TEST_F(ExecutionStreamTest, TypingAheadDoesNotHideThatAClientHasLeft) {
  server_.sandbox().hold();
  auto path = start(R"(,"interactive":true)", ScriptedExecutor::Manner::says);
  {
    auto socket = open(path, "?cancel_on_disconnect=true");
    next_with(socket, "running");
    server_.loop().run(type_much(socket, 500));
  }
  EXPECT_EQ(verdict_of(path), "cancelled");
}

async::task<void> type_too_much(net::WebSocket& socket) {
  co_await async::attempt(
      async::with_deadline(Milliseconds{500}, "typing", type_much(socket, 20'000)));
}

TEST_F(ExecutionStreamTest, TypingVeryFarAheadDoesNotHideItForLong) {
  server_.sandbox().hold();
  auto path = start(R"(,"interactive":true)", ScriptedExecutor::Manner::says);
  {
    auto socket = open(path, "?cancel_on_disconnect=true");
    next_with(socket, "running");
    server_.loop().run(type_too_much(socket));
  }
  EXPECT_EQ(verdict_of(path), "cancelled");
}

TEST_F(ExecutionStreamTest, WhatIsMalformedEndsTheStream) {
  auto path = start();
  for (const auto* text :
       {"", "hello", "{}", R"({"type":"shout"})", R"({"type":"input"})",
        R"({"type":"input","text":"a","base64":"YQ=="})", R"({"type":"input","base64":"?"})",
        R"({"type":"signal","signal":"SIGSEGV"})", R"({"type":"signal","signal":9})",
        R"({"type":"resize","rows":0,"columns":1})", R"({"type":"resize","rows":1})",
        R"({"type":"end_of_input","and":1})"}) {
    auto socket = open(path);
    tell(socket, text);
    EXPECT_EQ(next_with(socket, "nothing of that sort"), "closed") << text;
  }
  server_.ask("DELETE", path);
}

TEST_F(ExecutionStreamTest, LeavingCancelsWhenThatWasAskedFor) {
  auto path = start();
  {
    auto socket = open(path, "?cancel_on_disconnect=true");
    next_with(socket, "running");
  }
  EXPECT_EQ(verdict_of(path), "cancelled");
}

TEST_F(ExecutionStreamTest, WithoutAHandshakeItIsA400) {
  auto path = start();
  EXPECT_EQ(refusal_of(server_.ask("GET", path + "/stream")), "400 websocket_required");
  server_.ask("DELETE", path);
}

}  // namespace
}  // namespace gantry::api
