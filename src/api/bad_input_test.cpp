#include "api/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

struct Case {
  std::string name;
  std::string body;
  std::string refusal;  ///< `400 invalid_field`
  std::string detail;   ///< A part of what the answer says: the field, at least.
};

std::string with(std::string_view member) {
  return fmt::format(R"({{"language":"python","source":"",{}}})", member);
}

std::string limit(std::string_view member) {
  return with(fmt::format(R"("limits":{{{}}})", member));
}

std::vector<Case> cases() {
  constexpr auto invalid = "400 invalid_field";
  auto deep = with(R"("env":)" + std::string(100'000, '[') + std::string(100'000, ']'));
  return {
      {"UnknownKey", with(R"("cmd":1)"), "400 unknown_field", "'cmd'"},
      {"UnknownNestedKey", limit(R"("memory":1)"), "400 unknown_field", "'limits.memory'"},
      {"KeyInOtherCase", with(R"("Stdin":"")"), "400 unknown_field", "'Stdin'"},
      {"DuplicateKey", with(R"("stdin":"a","stdin":"b")"), "400 duplicate_key", "'stdin'"},
      {"DuplicateKeyEscaped", with(R"("stdin":"a","\u0073tdin":"b")"), "400 duplicate_key",
       "'stdin'"},
      {"SourceIsNumber", R"({"language":"python","source":1})", invalid, "'source'"},
      {"LanguageIsArray", R"({"language":["python"],"source":""})", invalid, "'language'"},
      {"FilesIsObject", with(R"("files":{})"), invalid, "'files'"},
      {"EnvHasNumber", with(R"("env":{"A":1})"), invalid, "'env'"},
      {"ArgsHasNumber", with(R"("args":[1])"), invalid, "'args'"},
      {"LimitsIsNumber", with(R"("limits":1)"), invalid, "'limits'"},
      {"WallTimeZero", limit(R"("wall_time_ms":0)"), invalid, "'limits.wall_time_ms'"},
      {"WallTimeNegative", limit(R"("wall_time_ms":-1)"), invalid, "'limits.wall_time_ms'"},
      {"WallTimeHuge", limit(R"("wall_time_ms":18446744073709551615)"), invalid,
       "'limits.wall_time_ms'"},
      {"WallTimeFractional", limit(R"("wall_time_ms":1.5)"), invalid, "'limits.wall_time_ms'"},
      {"WallTimeText", limit(R"("wall_time_ms":"1")"), invalid, "'limits.wall_time_ms'"},
      {"CpusOverflow", limit(R"("cpus":1e400)"), invalid, "'limits.cpus'"},
      {"CpusHuge", limit(R"("cpus":1000000)"), invalid, "'limits.cpus'"},
      {"CpusZero", limit(R"("cpus":0)"), invalid, "'limits.cpus'"},
      {"MemoryTiny", limit(R"("memory_bytes":1)"), invalid, "'limits.memory_bytes'"},
      {"PidsHuge", limit(R"("pids":100000)"), invalid, "'limits.pids'"},
      {"DeepNesting", deep, "400 invalid_json", "nested deeper"},
      {"InvalidUtf8",
       R"({"language":"python","source":")"
       "\xff"
       R"("})",
       "400 invalid_json", "JSON"},
      {"LoneSurrogate", R"({"language":"python","source":"\ud800"})", "400 invalid_json", "JSON"},
      {"TrailingData", R"({"language":"sh","source":""} x)", "400 invalid_json", "JSON"},
      {"NoJson", "language=python", "400 invalid_json", "JSON"},
      {"NotAnObject", "[]", invalid, "'body'"},
      {"PathUpwards", with(R"("files":[{"path":"../x","content":""}])"), invalid,
       "'files[0].path'"},
      {"PathInnerUpwards", with(R"("files":[{"path":"a/../../x","content":""}])"), invalid,
       "'files[0].path'"},
      {"PathAbsolute", with(R"("files":[{"path":"/etc/x","content":""}])"), invalid,
       "'files[0].path'"},
      {"PathWithNul", with(R"("files":[{"path":"a\u0000b","content":""}])"), invalid,
       "'files[0].path'"},
      {"PathTwice", with(R"("files":[{"path":"a","content":""},{"path":"a","content":""}])"),
       invalid, "'files'"},
      {"BadBase64", with(R"("files":[{"path":"a","content":"%","encoding":"base64"}])"), invalid,
       "'files[0].content'"},
      {"UnknownLanguage", R"({"language":"cobol","source":""})", invalid, "'language'"},
      {"InvalidImage", R"({"image":"alpine:a tag","command":["a"]})", invalid, "'image'"},
      {"OptionAsImage", R"({"image":"--privileged","command":["a"]})", invalid, "'image'"},
      {"NoProgram", R"({})", invalid, "'language'"},
      {"NoCommand", R"({"image":"alpine:latest"})", invalid, "'command'"},
  };
}

class BadProgramTest : public testing::TestWithParam<Case> {};

TEST_P(BadProgramTest, IsAProblemThatNamesItsField) {
  TestServer server;
  auto answer = server.ask("POST", "/api/v1/executions", GetParam().body);
  EXPECT_EQ(refusal_of(answer), GetParam().refusal);
  EXPECT_THAT(answer.body, testing::HasSubstr(GetParam().detail));
  EXPECT_TRUE(server.sandbox().seen.empty());
}

INSTANTIATE_TEST_SUITE_P(Table, BadProgramTest, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

TEST(BadRequestTest, ABodyOverTheCapIsRefusedBeforeItIsRead) {
  TestServer server;
  auto answer =
      server.send("POST", "/api/v1/executions", std::string((16U << 20U) + 1, ' '), server.local());
  EXPECT_EQ(refusal_of(answer), "413 body_too_large");
}

TEST(BadRequestTest, ADeclaredLengthOverTheCapIsEnough) {
  TestServer server;
  auto answer = server.send_raw(
      fmt::format("POST /api/v1/executions HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n"
                  "Content-Type: application/json\r\nContent-Length: 10737418240\r\n\r\n",
                  server.host(), server.access().local_token().reveal()));
  EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer, testing::HasSubstr(R"("code":"body_too_large")"));
}

TEST(BadRequestTest, MistakesOutsideTheBodyAreProblemsToo) {
  TestServer server;
  constexpr auto program = R"({"language":"sh","source":""})";
  EXPECT_EQ(refusal_of(server.ask("POST", "/api/v1/executions?wiat=true", program)),
            "400 invalid_parameter");
  EXPECT_EQ(refusal_of(server.ask("POST", "/api/v1/executions?wait=1", program)),
            "400 invalid_parameter");
  EXPECT_EQ(refusal_of(server.ask("GET", "/api/v1/executions?limit=0")), "400 invalid_parameter");
  EXPECT_EQ(refusal_of(server.ask("GET", "/api/v1/executions?cursor=%2e%2e")),
            "400 invalid_cursor");
  EXPECT_EQ(refusal_of(server.ask("GET", "/api/v1/%zz")), "400 invalid_target");
  auto headers = server.local();
  headers.set("Content-Type", "text/plain");
  EXPECT_EQ(refusal_of(server.send("POST", "/api/v1/executions", program, headers)),
            "415 unsupported_media_type");
}

TEST(BadRequestTest, AccountsAreReadAsStrictly) {
  TestServer server;
  auto refusal = [&](std::string path, std::string body) {
    return refusal_of(server.ask("POST", "/api/v1/" + path, std::move(body)));
  };
  EXPECT_EQ(refusal("users", R"({"name":"bob","password":"correct horse","role":"root"})"),
            "400 invalid_field");
  EXPECT_EQ(refusal("users", R"({"name":"bob","password":"short","role":"viewer"})"),
            "400 invalid_field");
  EXPECT_EQ(refusal("users", R"({"name":"../x","password":"correct horse","role":"viewer"})"),
            "400 invalid_field");
  EXPECT_EQ(refusal("users", R"({"name":"b","password":"correct horse","role":"viewer","id":"1"})"),
            "400 unknown_field");
  EXPECT_EQ(refusal("tokens", R"({"name":"a","role":"viewer","scopes":["everything"]})"),
            "400 invalid_field");
  EXPECT_EQ(refusal("tokens", R"({"name":"a","role":"viewer","scopes":[]})"), "400 invalid_field");
  EXPECT_EQ(
      refusal("tokens", R"({"name":"a","role":"viewer","scopes":["system"],"expires_at":"soon"})"),
      "400 invalid_field");
  EXPECT_EQ(refusal("sessions", R"({"name":"ada","password":"correct horse","remember":true})"),
            "400 unknown_field");
}

}  // namespace
}  // namespace gantry::api
