#include "api/mcp.hpp"

#include "api/testing_fake.hpp"
#include "async/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using access::Role;
using testing::ElementsAre;
using testing::HasSubstr;

class McpTest : public testing::Test {
 protected:
  net::http::Response post(const std::string& body) { return server_.ask("POST", "/mcp", body); }
  /// The `result` of a method that works.
  json::Object result_of(const net::http::Response& response) {
    EXPECT_EQ(response.head.status, 200U) << response.body;
    return object_of(response)["result"].as_object();
  }
  json::Object call(std::string_view tool, std::string_view arguments) {
    return result_of(post(call_text(tool, arguments)));
  }
  static std::string call_text(std::string_view tool, std::string_view arguments) {
    return fmt::format(R"({{"jsonrpc":"2.0","id":7,"method":"tools/call",)"
                       R"("params":{{"name":"{}","arguments":{}}}}})",
                       tool, arguments);
  }
  static std::string text_of(const json::Object& result) {
    return result.at("content").at(0).at("text").as_string().c_str();
  }
  static std::int64_t error_code(const net::http::Response& response) {
    return object_of(response)["error"].at("code").as_int64();
  }
  std::vector<std::string> tools_of(Role role, std::vector<std::string> scopes) {
    auto who = server_.add_user("somebody", role);
    auto token = server_.add_token(who, role, std::move(scopes));
    auto response =
        server_.send("POST", "/mcp", R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})",
                     TestServer::bearer(token));
    std::vector<std::string> names;
    for (const auto& tool : object_of(response)["result"].at("tools").as_array()) {
      names.emplace_back(tool.at("name").as_string().c_str());
    }
    return names;
  }

  TestServer server_;
};

TEST_F(McpTest, AVersionThatIsSpokenIsTaken) {
  auto result = result_of(post(R"({"jsonrpc":"2.0","id":"a","method":"initialize",)"
                               R"("params":{"protocolVersion":"2025-06-18"}})"));
  EXPECT_EQ(result["protocolVersion"].as_string(), "2025-06-18");
  EXPECT_EQ(result["serverInfo"].at("name").as_string(), "gantry");
  EXPECT_TRUE(result["capabilities"].at("tools").is_object());
}

TEST_F(McpTest, ForAnyOtherVersionTheNewestIsOffered) {
  auto result = result_of(post(R"({"jsonrpc":"2.0","id":1,"method":"initialize",)"
                               R"("params":{"protocolVersion":"1999-01-01"}})"));
  EXPECT_EQ(result["protocolVersion"].as_string(), std::string{mcp::protocol_versions.front()});
}

TEST_F(McpTest, AnUnknownVersionInTheHeaderIsRefused) {
  auto headers = server_.local();
  headers.set("MCP-Protocol-Version", "1999-01-01");
  auto response =
      server_.send("POST", "/mcp", R"({"jsonrpc":"2.0","id":1,"method":"ping"})", headers);
  EXPECT_EQ(response.head.status, 400U);
}

TEST_F(McpTest, ItsIdComesBackAsItWas) {
  EXPECT_EQ(post(R"({"jsonrpc":"2.0","id":"x-1","method":"ping"})").body,
            R"({"jsonrpc":"2.0","id":"x-1","result":{}})");
  EXPECT_EQ(post(R"({"jsonrpc":"2.0","id":0,"method":"ping"})").body,
            R"({"jsonrpc":"2.0","id":0,"result":{}})");
}

TEST_F(McpTest, NotificationsAndAnswersAreTakenInSilence) {
  auto response = post(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  EXPECT_EQ(response.head.status, 202U);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(post(R"({"jsonrpc":"2.0","id":1,"result":{}})").head.status, 202U);
}

TEST_F(McpTest, SeveralMessagesInAnArrayAreAnsweredInOne) {
  auto response = post(R"([{"jsonrpc":"2.0","id":1,"method":"ping"},
      {"jsonrpc":"2.0","method":"notifications/x"},{"jsonrpc":"2.0","id":2,"method":"ping"}])");
  EXPECT_EQ(response.body,
            R"([{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"result":{}}])");
}

TEST_F(McpTest, NotTooMany) {
  std::string many = "[0";
  for (int i = 0; i < 16; ++i) many += ",0";
  EXPECT_EQ(post(many + "]").head.status, 400U);
  EXPECT_EQ(post("[]").head.status, 400U);
}

TEST_F(McpTest, WhatIsNoMessageIsAnErrorOfTheProtocol) {
  auto no_json = post("{");
  EXPECT_EQ(no_json.head.status, 400U);
  EXPECT_EQ(error_code(no_json), -32700);
  auto no_version = post(R"({"id":1,"method":"ping"})");
  EXPECT_EQ(no_version.head.status, 400U);
  EXPECT_EQ(error_code(no_version), -32600);
  EXPECT_EQ(error_code(post(R"({"jsonrpc":"2.0","id":null,"method":"ping"})")), -32600);
  EXPECT_EQ(error_code(post(R"({"jsonrpc":"2.0","id":1,"method":"resources/list"})")), -32601);
  EXPECT_EQ(error_code(post(R"({"jsonrpc":"2.0","id":1,"method":"ping","params":3})")), -32602);
  EXPECT_EQ(error_code(post(call_text("rm", "{}"))), -32602);
  EXPECT_EQ(error_code(post(call_text("execute_code", "3"))), -32602);
}

TEST_F(McpTest, ThereIsNoStreamToOpenAndNoSessionToEnd) {
  for (const auto* method : {"GET", "DELETE"}) {
    auto response = server_.ask(method, "/mcp");
    EXPECT_EQ(response.head.status, 405U) << method;
    EXPECT_EQ(response.head.headers.get("Allow"), "POST");
  }
}

TEST_F(McpTest, AnotherSitesPageIsRefused) {
  auto headers = server_.local();
  headers.set("Origin", "https://evil.example");
  auto response =
      server_.send("POST", "/mcp", R"({"jsonrpc":"2.0","id":1,"method":"ping"})", headers);
  EXPECT_EQ(refusal_of(response), "403 cross_site_request");
}

TEST_F(McpTest, EverybodyIsShownWhatTheyMayCall) {
  EXPECT_THAT(tools_of(Role::operator_, {"executions", "containers", "system"}),
              ElementsAre("execute_code", "list_languages", "list_containers", "read_logs"));
}

TEST_F(McpTest, AViewerIsNotShownWhatRunsPrograms) {
  EXPECT_THAT(tools_of(Role::viewer, {"executions", "containers", "system"}),
              ElementsAre("list_languages", "list_containers"));
}

TEST_F(McpTest, ATokenWithoutTheScopeNeither) {
  EXPECT_THAT(tools_of(Role::operator_, {"executions"}), ElementsAre("execute_code"));
}

TEST_F(McpTest, WhoMayNotCallAToolIsToldWhy) {
  auto who = server_.add_user("vera", Role::viewer);
  auto token = server_.add_token(who, Role::viewer, {"executions"});
  auto response =
      server_.send("POST", "/mcp", call_text("execute_code", R"({"language":"python","code":""})"),
                   TestServer::bearer(token));
  auto result = result_of(response);
  EXPECT_TRUE(result["isError"].as_bool());
  EXPECT_THAT(text_of(result), HasSubstr("it needs the role 'executor'"));
}

TEST_F(McpTest, AProgramIsRunAndToldInWordsAndForPrograms) {
  auto result =
      call("execute_code", R"json({"language":"python","code":"print(1)","stdin":"in"})json");
  EXPECT_FALSE(result["isError"].as_bool());
  EXPECT_EQ(result["structuredContent"].at("verdict").as_string(), "ok");
  EXPECT_EQ(result["structuredContent"].at("stdout").as_string(), "hello\n");
  EXPECT_FALSE(result["structuredContent"].as_object().contains("source"));
  EXPECT_EQ(text_of(result), "verdict: ok\nexit code: 0\n\nstdout:\nhello\n");
  ASSERT_EQ(server_.sandbox().seen.size(), 1U);
  EXPECT_EQ(server_.sandbox().seen[0].program.input, "in");
  EXPECT_EQ(server_.sandbox().seen[0].policy.output.count, 64U << 10U);
}

TEST_F(McpTest, AFailedProgramIsAnAnswerNoErrorOfTheTool) {
  server_.sandbox().outcome = {{.verdict = sandbox::Verdict::failed, .exit_code = 3}};
  auto result = call("execute_code", R"({"language":"python","code":"","limits":{"pids":9}})");
  EXPECT_FALSE(result["isError"].as_bool());
  EXPECT_THAT(text_of(result), HasSubstr("verdict: failed\nexit code: 3\n"));
  EXPECT_EQ(server_.sandbox().seen[0].policy.pids, 9);
}

TEST_F(McpTest, WhatCouldNotBeRunIsAnErrorOfTheTool) {
  server_.sandbox().outcome = {
      {.verdict = sandbox::Verdict::infrastructure_error, .message = "no engine"}};
  auto result = call("execute_code", R"({"language":"python","code":""})");
  EXPECT_TRUE(result["isError"].as_bool());
  EXPECT_THAT(text_of(result), HasSubstr("message: no engine"));
}

TEST_F(McpTest, BadArgumentsAreErrorsOfTheToolThatNameTheField) {
  auto said = [&](std::string_view arguments) {
    auto result = call("execute_code", arguments);
    EXPECT_TRUE(result["isError"].as_bool()) << arguments;
    return text_of(result);
  };
  EXPECT_THAT(said("{}"), HasSubstr("'language'"));
  EXPECT_THAT(said(R"({"language":"python"})"), HasSubstr("'code'"));
  EXPECT_THAT(said(R"({"language":"klingon","code":""})"), HasSubstr("'language'"));
  EXPECT_THAT(said(R"({"language":"python","code":"","source":""})"), HasSubstr("'source'"));
  EXPECT_THAT(said(R"({"language":"python","code":"","limits":{"pids":1}})"),
              HasSubstr("'limits.pids'"));
  EXPECT_THAT(said(R"({"language":"python","code":"","limits":[]})"), HasSubstr("'limits'"));
  EXPECT_TRUE(server_.sandbox().seen.empty());
}

TEST_F(McpTest, ACallThatIsTakenBackEndsItsProgram) {
  auto begun = post(R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{}})");
  auto headers = server_.local();
  headers.set("Mcp-Session-Id", begun.head.headers.get("Mcp-Session-Id"));
  server_.sandbox().hold();
  std::optional<net::http::Response> answer;
  auto calling = server_.send_beside(
      "POST", "/mcp", call_text("execute_code", R"({"language":"python","code":""})"), headers);
  server_.tasks().spawn("call", async::detail::keep(std::move(calling), answer));
  server_.loop().run(async::until([this] { return !server_.sandbox().seen.empty(); }));

  constexpr auto take_back =
      R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})";
  EXPECT_EQ(server_.ask("POST", "/mcp", take_back).head.status, 202U);
  EXPECT_FALSE(answer) << "without the session nobody's call is meant";
  EXPECT_EQ(server_.send("POST", "/mcp", take_back, headers).head.status, 202U);
  server_.loop().run(async::until([&] { return answer.has_value(); }));
  EXPECT_THAT(text_of(result_of(*answer)), HasSubstr("taken back"));
}

TEST_F(McpTest, LanguagesAreListed) {
  auto result = call("list_languages", "{}");
  EXPECT_EQ(result["structuredContent"].at("languages").at(0).at("name").as_string(), "python");
}

TEST_F(McpTest, ContainersAreListed) {
  server_.follow({engine::FakeDaemon::container("aa", "web", "running")});
  auto result = call("list_containers", "{}");
  EXPECT_EQ(result["structuredContent"].at("items").at(0).at("name").as_string(), "web");
}

/// A frame of standard output.
std::string frame(std::string_view text) {
  std::string bytes{"\1\0\0\0\0\0\0", 7};
  bytes += static_cast<char>(text.size());
  return bytes.append(text);
}

TEST_F(McpTest, TheEndOfALogIsRead) {
  auto container = engine::FakeDaemon::id("aa");
  server_.follow({engine::FakeDaemon::container("aa", "web", "running")});
  auto& daemon = server_.daemon();
  daemon.expect("GET", fmt::format("/containers/{}/json", container))
      .reply(200, fmt::format(R"({{"Id":"{}","Name":"/web","Config":{{"Tty":false}},)"
                              R"("HostConfig":{{}},"State":{{}}}})",
                              container));
  daemon.expect("GET", fmt::format("/containers/{}/logs?stdout=1&stderr=1&tail=5", container))
      .reply(200, frame("one\n") + frame("two \xff\n"));
  auto result = call("read_logs", R"({"container":"web","tail":5})");
  EXPECT_EQ(text_of(result), "one\ntwo \xEF\xBF\xBD\n");
  EXPECT_FALSE(result["structuredContent"].at("truncated").as_bool());
}

TEST_F(McpTest, ContainersThatAreNotListedHaveNoLog) {
  server_.follow({});
  auto result = call("read_logs", R"({"container":"../etc"})");
  EXPECT_TRUE(result["isError"].as_bool());
  EXPECT_THAT(text_of(result), HasSubstr("there is none of that name or id"));
}

}  // namespace
}  // namespace gantry::api
