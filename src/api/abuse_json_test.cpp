#include "api/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Bodies that parsers of JSON have disagreed about, as a whole server takes them: each is refused
// as what it is, and does nothing.
namespace gantry::api {
namespace {

struct Body {
  std::string name;
  std::string text;
  std::string refusal = "400 invalid_json";
};

std::string user(std::string_view member) {
  return fmt::format(R"({{"name":"eve","password":"long enough!","role":"viewer"{}}})", member);
}

/// Many members behind those of an object that has some.
std::string many_keys(std::string body, std::size_t count) {
  body.pop_back();
  for (std::size_t i = 0; i < count; ++i) body += fmt::format(",\"{:x}\":0", i);
  return body + "}";
}

std::string utf16(std::string_view text) {
  std::string out = "\xff\xfe";
  for (char c : text) out.append({c, '\0'});
  return out;
}

std::vector<Body> bodies() {
  using namespace std::string_literals;
  constexpr auto unknown = "400 unknown_field";
  constexpr auto invalid = "400 invalid_field";
  return {
      {"ManyOpenArrays", std::string(30'000, '[')},
      {"ManyOpenObjects",
       [] {
         std::string text;
         for (int i = 0; i < 8'000; ++i) text += "{\"a\":";
         return text;
       }()},
      {"DuplicateKey", user(R"(,"role":"admin")"), "400 duplicate_key"},
      {"DuplicateKeyEscaped", user(R"(,"\u0072ole":"admin")"), "400 duplicate_key"},
      {"KeyInOtherCase", user(R"(,"Role":"admin")"), unknown},
      {"KeyWithLongS", user(",\"pa\xc5\xbfsword\":\"x\""), unknown},
      {"KeyWithLongSEscaped", user(R"(,"pa\u017fsword":"x")"), unknown},
      {"KeyWithKelvinSign", user(R"(,"\u212aey":"x")"), unknown},
      {"KeyWithNul", user(R"(,"role\u0000":"admin")"), unknown},
      {"KeyOfAPrototype", user(R"(,"__proto__":{"role":"admin"})"), unknown},
      {"EmptyKey", user(R"(,"":"x")"), unknown},
      {"NotANumber", user(R"(,"role":NaN)")},
      {"Infinity", user(R"(,"role":-Infinity)")},
      {"HugeNumber", R"({"name":1e400})", invalid},
      {"NegativeZero", R"({"name":-0})", invalid},
      {"MoreThanADoubleHolds", R"({"name":9007199254740993})", invalid},
      {"TextAsNumber", R"({"name":1})", invalid},
      {"NulInText", R"({"name":"a\u0000b","password":"long enough!","role":"viewer"})", invalid},
      {"RawNulInText", "{\"name\":\"a\0b\"}"s},
      {"RawLineInText", "{\"name\":\"a\nb\"}"},
      {"OverlongUtf8", "{\"name\":\"\xc0\xaf\"}"},
      {"SurrogateInUtf8", "{\"name\":\"\xed\xa0\x80\"}"},
      {"LoneSurrogate", R"({"name":"\ud800"})"},
      {"SurrogatesTheWrongWayRound", R"({"name":"\udc00\ud800"})"},
      {"ByteOrderMark", "\xef\xbb\xbf" + user("")},
      {"Utf16", utf16(user(""))},
      {"TrailingData", user("") + "{}"},
      {"TrailingNul", user("") + "\0"s},
      {"TrailingComma", R"({"name":"eve",})"},
      {"LineComment", "// x\n" + user("")},
      {"BlockComment", "{/* x */}"},
      {"SingleQuotes", "{'name':'eve'}"},
      {"NoQuotes", "{name:\"eve\"}"},
      {"LeadingZero", R"({"name":01})"},
      {"Hexadecimal", R"({"name":0x10})"},
      {"PlusSign", R"({"name":+1})"},
      {"NoDigits", R"({"name":1.})"},
      {"UnknownEscape", R"({"name":"\x41"})"},
      {"NoValue", R"({"name":})"},
      {"Nothing", "", "415 unsupported_media_type"},
      {"OnlyBlanks", " \n\t "},
      {"FormFeed", "\f" + user("")},
      {"NoBreakSpace", "\xc2\xa0" + user("")},
      {"WrongLiteral", R"({"name":True})"},
      {"Array", "[]", invalid},
      {"Null", "null", invalid},
      {"FourThousandKeys", many_keys(user(""), 4'000), unknown},
      {"LongText", R"({"name":")" + std::string(60'000, 'x') + "\"}", invalid},
  };
}

TEST(AbuseJsonTest, IsRefusedAndMakesNobody) {
  TestServer server;
  for (const auto& [name, text, refusal] : bodies()) {
    auto answer = server.ask("POST", "/api/v1/users", text);
    EXPECT_EQ(refusal_of(answer), refusal) << name << '\n' << answer.body;
    EXPECT_LT(answer.body.size(), 4'000U) << name;
  }
  EXPECT_THAT(server.ask("GET", "/api/v1/users").body, testing::Not(testing::HasSubstr("\"eve\"")));
}

TEST(AbuseLargeJsonTest, WhatIsLargeIsReadAndRefusedOnce) {
  TestServer server;
  struct Case {
    std::string text;
    std::string refusal;
  };
  for (const auto& [text, refusal] :
       {Case{std::string(100'000, '['), "400 invalid_json"},
        Case{many_keys(R"({"language":"sh","source":""})", 1'000'000), "400 unknown_field"},
        Case{R"({"language":")" + std::string(10'000'000, 'x') + "\"}", "400 invalid_field"},
        Case{R"({"image":"x","command":[)" + std::string(10'000'000, ' ') + "]}",
             "400 invalid_field"},
        Case{std::string(17U << 20U, ' '), "413 body_too_large"}}) {
    auto answer = server.ask("POST", "/api/v1/executions", text);
    EXPECT_EQ(refusal_of(answer), refusal) << text.substr(0, 40);
  }
  EXPECT_TRUE(server.sandbox().seen.empty());
  EXPECT_EQ(server.ask("GET", "/api/v1/me").head.status, 200U);
}

}  // namespace
}  // namespace gantry::api
