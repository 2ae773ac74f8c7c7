#include "api/testing_fake.hpp"
#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "net/endpoint.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using net::WebSocket;
using sandbox::Verdict;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto init =
    R"({"type":"init","language":"python","version":"*","files":[{"content":"x"}]})";
constexpr auto runtime = R"({"type":"runtime","language":"python","version":"3.11.0"})";
constexpr auto stage_run = R"({"type":"stage","stage":"run"})";
constexpr auto hello = R"({"type":"data","stream":"stdout","data":"hello\n"})";
constexpr auto exit_0 = R"({"type":"exit","stage":"run","code":0,"signal":null})";

async::task<void> say(WebSocket& socket, std::string text) {
  co_await socket.send(WebSocket::Kind::text, text);
}

/// All that is said until the end.
async::task<std::vector<std::string>> hear_all(WebSocket& socket) {
  std::vector<std::string> said;
  while (auto message = co_await socket.receive()) said.push_back(std::move(message->data));
  co_return said;
}

async::task<std::string> hear(WebSocket& socket) {
  auto message = co_await async::with_deadline(Milliseconds{60'000}, "hearing", socket.receive());
  co_return message ? message->data : "closed";
}

class PistonConnectTest : public testing::Test {
 protected:
  WebSocket open(std::string target = "/api/v2/connect") {
    return server_.loop().run(server_.open_socket(std::move(target), {}));
  }
  void tell(WebSocket& socket, std::string text) {
    server_.loop().run(say(socket, std::move(text)));
  }
  std::string next(WebSocket& socket) { return server_.loop().run(hear(socket)); }
  std::vector<std::string> rest(WebSocket& socket) {
    return server_.loop().run(
        async::with_deadline(Milliseconds{60'000}, "hearing", hear_all(socket)));
  }
  /// The code and the reason of the server's good-bye.
  std::string goodbye_to(std::vector<std::string> messages) {
    std::string request = fmt::format(
        "GET /api/v2/connect HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server_.host());
    for (const auto& message : messages) {
      // A masked frame with the mask 0.
      request += fmt::format("{}{}{}", '\x81', static_cast<char>(0x80U | message.size()),
                             std::string(4, '\0'));
      request += message;
    }
    return server_.loop().run(last_frame(std::move(request)));
  }
  async::task<std::string> last_frame(std::string bytes);

  TestServer server_{{.anonymous_execute = AnonymousExecute::on_loopback}};
};

async::task<std::string> PistonConnectTest::last_frame(std::string bytes) {
  auto endpoint = value_or_throw(net::Endpoint::parse(fmt::format("tcp://{}", server_.host())));
  auto stream = co_await net::dialer(server_.loop().executor(), std::move(endpoint))();
  co_await stream->write(bytes);
  std::string answer;
  std::string piece(4096, '\0');
  // A close frame is short: its opcode, its length, two bytes of code, its reason.
  for (;;) {
    auto size =
        co_await async::with_deadline(Milliseconds{60'000}, "hearing", stream->read_some(piece));
    answer.append(piece, 0, size);
    auto at = answer.rfind('\x88');
    if (at != std::string::npos && answer.size() >= at + 4) {
      auto high = static_cast<unsigned char>(answer[at + 2]);
      auto low = static_cast<unsigned char>(answer[at + 3]);
      co_return fmt::format("{} {}", high * 256 + low, answer.substr(at + 4));
    }
    if (size == 0) co_return "no good-bye";
  }
}

TEST_F(PistonConnectTest, AJobIsToldFromItsBeginningToItsEnd) {
  for (const auto* target : {"/api/v2/connect", "/api/v2/piston/connect"}) {
    auto socket = open(target);
    tell(socket, init);
    EXPECT_THAT(rest(socket), ElementsAre(runtime, stage_run, hello, exit_0)) << target;
  }
}

TEST_F(PistonConnectTest, ACompilationIsAStageBefore) {
  server_.sandbox().compile_out = "note";
  auto socket = open();
  tell(socket, R"({"type":"init","language":"c","version":"*","files":[{"content":""}]})");
  auto said = rest(socket);
  ASSERT_EQ(said.size(), 7U);
  EXPECT_EQ(said[1], R"({"type":"stage","stage":"compile"})");
  EXPECT_EQ(said[2], R"({"type":"data","stream":"stdout","data":"note"})");
  EXPECT_EQ(said[3], R"({"type":"exit","stage":"compile","code":0,"signal":null})");
  EXPECT_EQ(said[4], stage_run);
}

TEST_F(PistonConnectTest, AFailedCompilationIsTheOnlyStage) {
  sandbox::Outcome failed{{.verdict = Verdict::failed, .exit_code = 1}};
  failed.compile = sandbox::StageOutcome{.verdict = Verdict::failed, .exit_code = 1};
  server_.sandbox().outcome = failed;
  auto socket = open();
  tell(socket, R"({"type":"init","language":"c","version":"*","files":[{"content":""}]})");
  auto said = rest(socket);
  EXPECT_EQ(said.back(), R"({"type":"exit","stage":"compile","code":1,"signal":null})");
}

TEST_F(PistonConnectTest, WhatIsTypedReachesTheProgram) {
  server_.sandbox().manner = ScriptedExecutor::Manner::echoes;
  auto socket = open();
  tell(socket, R"({"type":"init","language":"python","version":"*",)"
               R"("files":[{"content":"x"}],"stdin":"first"})");
  tell(socket, R"({"type":"data","stream":"stdin","data":"second\n"})");
  EXPECT_EQ(next(socket), runtime);
  EXPECT_EQ(next(socket), stage_run);
  std::string heard;
  while (heard.find("second") == std::string::npos) heard += next(socket);
  EXPECT_THAT(heard, HasSubstr(R"(first\n)"));
  tell(socket, R"({"type":"signal","signal":"SIGTERM"})");
  EXPECT_THAT(rest(socket),
              ElementsAre(R"({"type":"exit","stage":"run","code":null,"signal":"SIGTERM"})"));
}

TEST_F(PistonConnectTest, EveryGoodbyeHasItsCode) {
  EXPECT_EQ(goodbye_to({init}), "4999 Job Completed");
  EXPECT_EQ(goodbye_to({}), "4001 Initialization Timeout");
  EXPECT_EQ(goodbye_to({"{"}), "4002 Notified Error");
  EXPECT_EQ(goodbye_to({R"({"type":"init"})"}), "4002 Notified Error");
  EXPECT_EQ(goodbye_to({R"({"type":"data","stream":"stdin","data":"x"})"}),
            "4003 Not yet initialized");
  EXPECT_EQ(goodbye_to({R"({"type":"signal","signal":"SIGINT"})"}), "4003 Not yet initialized");
  server_.sandbox().hold();
  EXPECT_EQ(goodbye_to({init, init}), "4000 Already Initialized");
  EXPECT_EQ(goodbye_to({init, R"({"type":"data","stream":"stdout","data":"x"})"}),
            "4004 Can only write to stdin");
  EXPECT_EQ(goodbye_to({init, R"({"type":"signal","signal":"SIGNOT"})"}), "4005 Invalid signal");
}

TEST_F(PistonConnectTest, AMistakeIsToldBeforeTheGoodbye) {
  auto socket = open();
  tell(socket, R"({"type":"init","language":"cobol","version":"*","files":[]})");
  EXPECT_THAT(rest(socket),
              ElementsAre(R"({"type":"error","message":"cobol-* runtime is unknown"})"));
}

TEST_F(PistonConnectTest, OurFailureIsAnError) {
  server_.sandbox().outcome = sandbox::StageOutcome{.message = "no engine"};
  auto socket = open();
  tell(socket, init);
  EXPECT_EQ(rest(socket).back(), R"({"type":"error","message":"no engine"})");
}

TEST_F(PistonConnectTest, UnknownMessagesAreIgnored) {
  auto socket = open();
  tell(socket, R"({"type":"hello"})");
  tell(socket, "[]");
  tell(socket, init);
  EXPECT_EQ(rest(socket).back(), exit_0);
}

TEST_F(PistonConnectTest, WhoGoesAwayTakesTheJobAlong) {
  server_.sandbox().hold();
  {
    auto socket = open();
    tell(socket, init);
    EXPECT_EQ(next(socket), runtime);
  }
  auto& executions = server_.executions();
  server_.loop().run(
      async::until([&] { return executions.unfinished(executions::Reach::everybodys()).empty(); }));
  EXPECT_EQ(executions.counters().ended.at(Verdict::cancelled), 1U);
}

TEST_F(PistonConnectTest, WithoutAHandshakeItIsA400) {
  auto answer = server_.send("GET", "/api/v2/connect");
  EXPECT_EQ(answer.head.status, 400U);
  EXPECT_THAT(answer.body, HasSubstr(R"({"message":")"));
}

}  // namespace
}  // namespace gantry::api
