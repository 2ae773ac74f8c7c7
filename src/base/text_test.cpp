#include "base/text.hpp"

#include "base/json.hpp"

#include <boost/json/value_to.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::text {
namespace {

TEST(Utf8Test, WellFormedTextIsKnown) {
  for (std::string_view text : {"", "abc", "zwölf", "字", "🦀", "\xf4\x8f\xbf\xbf", "\x7f"}) {
    EXPECT_TRUE(valid_utf8(text)) << text;
  }
  EXPECT_TRUE(valid_utf8(std::string_view{"\0", 1}));
}

TEST(Utf8Test, MalformedTextIsKnown) {
  for (std::string_view text :
       {"\x80", "\xff", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xe5\xad",
        "a\xe5\xad"
        "b"}) {
    EXPECT_FALSE(valid_utf8(text));
  }
}

TEST(OneLineTest, ControlCharactersAreShownNotObeyed) {
  EXPECT_EQ(one_line("a\nb\tc"), "a\\nb\\tc");
  EXPECT_EQ(one_line("\x1b[31mred\x07"), "\\x1b[31mred\\x07");
  EXPECT_EQ(one_line("\r\x7f"), "\\x0d\\x7f");
  EXPECT_EQ(one_line("\xc2\x9b"
                     "31m"),
            "\\xc2\\x9b31m");  // C1: the one-byte CSI
  EXPECT_EQ(one_line("bad \xff byte"), "bad \\xff byte");
  EXPECT_EQ(one_line("字 and ö stay"), "字 and ö stay");
}

/// What a JSON reader makes of the quoted text.
std::string read_back(std::string_view text) {
  auto value = value_or_throw(json::parse(json_quoted(text), json::Keys::strict));
  return boost::json::value_to<std::string>(value);
}

TEST(JsonQuotedTest, AnyBytesBecomeOneValidString) {
  EXPECT_EQ(read_back("a\"b\\c\n\x01\x7f"), "a\"b\\c\n\x01\x7f");
  EXPECT_EQ(read_back("x\xffy"), "x\uFFFDy");
  EXPECT_EQ(read_back("字"), "字");
}

TEST(JsonQuotedTest, TheStringIsOneLine) {
  EXPECT_EQ(json_quoted("a\nb\rc\x1b").find_first_of("\n\r\x1b"), std::string::npos);
}

TEST(ShortenedTest, CutsAtACharacterAndSaysSo) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "abc…");
  EXPECT_EQ(shortened("a字b", 3), "a…");
  EXPECT_EQ(shortened("字", 0), "…");
}

TEST(SplitTest, EveryPartIsThereAlsoTheEmptyOnes) {
  EXPECT_THAT(split("a,b,,c", ','), testing::ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(split("", ','), testing::ElementsAre(""));
  EXPECT_THAT(split(",", ','), testing::ElementsAre("", ""));
}

TEST(TrimmedTest, BlanksAtBothEndsGo) {
  EXPECT_EQ(trimmed(" \t a b \r\n"), "a b");
  EXPECT_EQ(trimmed("   "), "");
}

TEST(CaseTest, OnlyAsciiLettersAreFolded) {
  EXPECT_EQ(lowered("AbC-Ö"), "abc-Ö");
  EXPECT_TRUE(iequals("Content-LENGTH", "content-length"));
  EXPECT_FALSE(iequals("a", "ab"));
  EXPECT_FALSE(iequals("Ho\xc5\xbft", "host"));  // the long s that Go folds
}

TEST(MaskingTest, NamesOfSecretsAreKnown) {
  for (auto name : {"DB_PASSWORD", "github_token", "AWS_SECRET_ACCESS_KEY", "apiKey", "API-KEY",
                    "ssh_private_key", "MYSQL_PASSWD", "credentials"}) {
    EXPECT_TRUE(names_secret(name)) << name;
  }
  for (auto name : {"PATH", "HOME", "LANG", "KEYBOARD", "PORT"}) {
    EXPECT_FALSE(names_secret(name)) << name;
  }
}

TEST(TextTest, EveryOccurrenceIsReplacedOnce) {
  EXPECT_EQ(replaced("a*b**", "*", "xx"), "axxbxxxx");
  EXPECT_EQ(replaced("aaa", "aa", "a"), "aa");
  EXPECT_EQ(replaced("", "a", "b"), "");
  EXPECT_EQ(replaced("abc", "d", "e"), "abc");
}

TEST(MaskingTest, ThePasswordInAUrlIsMasked) {
  EXPECT_EQ(without_url_password("postgresql://ada:hunter2@db/gantry"),
            "postgresql://ada:********@db/gantry");
  EXPECT_EQ(without_url_password("tcp://ada:p@ss@db:5432"), "tcp://ada:********@db:5432");
  EXPECT_EQ(without_url_password("http://:x@h"), "http://:********@h");
}

TEST(MaskingTest, AUrlWithoutAPasswordStaysAsItIs) {
  for (auto url : {"postgresql://db:5432/x", "http://ada@db/", "unix:///run/docker.sock", "word",
                   "http://host/path:with@signs", "http://host:5000/image@sha256:12"}) {
    EXPECT_EQ(without_url_password(url), url);
  }
}

TEST(MaskingTest, APasswordWithASlashOrAQuestionMarkIsMaskedToo) {
  EXPECT_EQ(without_url_password("postgresql://ada:pa/ss@db/gantry"),
            "postgresql://ada:********@db/gantry");
  EXPECT_EQ(without_url_password("postgresql://ada:pa?ss@db"), "postgresql://ada:********@db");
}

}  // namespace
}  // namespace gantry::text
