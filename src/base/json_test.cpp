#include "base/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::json {
namespace {

std::string code(Result<Value> parsed) { return parsed ? "ok" : parsed.error().code; }
std::string strict(std::string_view text) { return code(parse(text, Keys::strict)); }
std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

/// Reads one object with the members a test asks for.
class Body {
 public:
  explicit Body(std::string_view text, Keys keys = Keys::strict)
      : value_{value_or_throw(parse(text, keys))}, fields{value_, "", keys} {}

 private:
  Value value_;

 public:
  Fields fields;
};

TEST(JsonParseTest, OneWellFormedValueIsTaken) {
  EXPECT_EQ(strict(R"({"a": [1, 2.5, "x", null, true]})"), "ok");
  EXPECT_EQ(strict(" 1 \n"), "ok");
}

TEST(JsonParseTest, AnythingElseIsRefused) {
  for (std::string_view text :
       {"", " ", "{", "{}}", "{} {}", "{'a':1}", "{a:1}", "[1,]", "{\"a\":1,}", "01", "+1", "NaN",
        "Infinity", "// c\n1", "\"\t\"", "\"\\x\"", "\"\\ud800\"", "\xEF\xBB\xBF{}", "1e"}) {
    EXPECT_EQ(strict(text), "invalid_json") << text;
  }
}

TEST(JsonParseTest, MalformedUtf8IsRefused) {
  EXPECT_EQ(strict("\"\xff\""), "invalid_json");
  EXPECT_EQ(strict("\"\xc0\xaf\""), "invalid_json");
  EXPECT_EQ(strict("\"\xed\xa0\x80\""), "invalid_json");
  EXPECT_EQ(strict("{\"\x80\": 1}"), "invalid_json");
}

TEST(JsonParseTest, ADuplicateKeyIsRefusedHoweverItIsSpelt) {
  EXPECT_EQ(strict(R"({"a":1,"a":2})"), "duplicate_key");
  EXPECT_EQ(strict(R"({"a":1,"\u0061":2})"), "duplicate_key");
  EXPECT_EQ(strict(R"({"x":[{"a":{"b":1,"b":1}}]})"), "duplicate_key");
  EXPECT_EQ(strict(R"({"":1,"":2})"), "duplicate_key");
}

TEST(JsonParseTest, TheSameKeyInDifferentObjectsIsNoDuplicate) {
  EXPECT_EQ(strict(R"({"a":{"a":1},"b":{"a":1},"c":[{"a":1},{"a":1}]})"), "ok");
}

TEST(JsonParseTest, KeysThatDifferInCaseAreDifferent) {
  EXPECT_EQ(strict(R"({"privileged":false,"Privileged":true})"), "ok");
}

TEST(JsonParseTest, ALongKeyIsComparedWhole) {
  std::string stem(10'000, 'k');
  EXPECT_EQ(strict("{\"" + stem + "1\":1,\"" + stem + "2\":2}"), "ok");
  EXPECT_EQ(strict("{\"" + stem + "\":1,\"" + stem + "\":2}"), "duplicate_key");
}

TEST(JsonParseTest, ADuplicateIsNamedInOneShortLine) {
  std::string key = "line\\nbreak" + std::string(500, 'x');
  auto error = parse("{\"" + key + "\":1,\"" + key + "\":2}", Keys::strict).error();
  EXPECT_THAT(error.message, testing::Not(testing::HasSubstr("\n")));
  EXPECT_LT(error.message.size(), 200U);
}

TEST(JsonParseTest, ForeignFormatsMayRepeatAKeyAndTheLastOneWins) {
  Body body{R"({"a":1,"a":2})", Keys::tolerant};
  EXPECT_EQ(body.fields.integer("a", {0, 9}), 2);
}

TEST(JsonParseTest, DepthIsBounded) {
  EXPECT_EQ(strict(nested(32)), "ok");
  EXPECT_EQ(strict(nested(33)), "invalid_json");
  EXPECT_EQ(strict(nested(1'000'000)), "invalid_json");
  EXPECT_EQ(code(parse(nested(5), Keys::strict, {.depth_max = 4})), "invalid_json");
}

TEST(JsonParseTest, SizeIsBounded) {
  auto refused = parse("[1,2,3]", Keys::strict, {.bytes_max = 6});
  EXPECT_EQ(refused.error().kind, ErrorKind::too_large);
  EXPECT_EQ(code(parse("[1,2,3]", Keys::strict, {.bytes_max = 7})), "ok");
}

TEST(FieldsTest, MembersComeAsTheirTypes) {
  Body body{R"({"t":"x","i":-3,"n":2.5,"b":true,"l":["a","b"],"m":{"z":"1","y":"2"}})"};
  EXPECT_EQ(body.fields.required_text("t"), "x");
  EXPECT_EQ(body.fields.integer("i", {-5, 5}), -3);
  EXPECT_EQ(body.fields.number("n", {0, 10}), 2.5);
  EXPECT_EQ(body.fields.boolean("b"), true);
  EXPECT_THAT(body.fields.texts("l", 2), testing::ElementsAre("a", "b"));
  EXPECT_THAT(body.fields.text_map("m", 2),
              testing::ElementsAre(testing::Pair("z", "1"), testing::Pair("y", "2")));
  EXPECT_TRUE(body.fields.finish());
}

TEST(FieldsTest, AbsentAndNullAreTheSame) {
  Body body{R"({"a":null})"};
  EXPECT_EQ(body.fields.text("a"), std::nullopt);
  EXPECT_EQ(body.fields.text("b"), std::nullopt);
  EXPECT_EQ(body.fields.integer("c", {0, 1}), std::nullopt);
  EXPECT_TRUE(body.fields.texts("d", 3).empty());
  EXPECT_TRUE(body.fields.finish());
}

TEST(FieldsTest, AMissingRequiredTextIsNamed) {
  Body body{"{}"};
  (void)body.fields.required_text("language");
  EXPECT_EQ(body.fields.finish().error().message, "field 'language' is missing");
}

TEST(FieldsTest, AnUnknownMemberIsRefusedWhenStrict) {
  Body body{R"({"known":1,"other":2})"};
  (void)body.fields.integer("known", {0, 9});
  auto error = body.fields.finish().error();
  EXPECT_EQ(error.code, "unknown_field");
  EXPECT_THAT(error.message, testing::HasSubstr("'other'"));
  EXPECT_FALSE(error.remedy.empty());
}

TEST(FieldsTest, AnUnknownMemberIsRefusedEvenWhenItIsNullOrSpeltInOtherCase) {
  Body null{R"({"other":null})"};
  EXPECT_FALSE(null.fields.finish());
  Body cased{R"({"Known":1})"};
  (void)cased.fields.integer("known", {0, 9});
  EXPECT_FALSE(cased.fields.finish());
}

TEST(FieldsTest, AnUnknownMemberOfAForeignFormatIsIgnored) {
  Body body{R"({"other":2})", Keys::tolerant};
  EXPECT_TRUE(body.fields.finish());
}

/// The message about `"a": <value>` read as an integer of 1 to 100.
std::string integer_complaint(const std::string& value) {
  Body body{"{\"a\":" + value + "}"};
  EXPECT_EQ(body.fields.integer("a", {1, 100}), std::nullopt);
  auto done = body.fields.finish();
  return done ? "no complaint" : done.error().message;
}

TEST(FieldsTest, OnlyWholeNumbersWithinBoundsAreIntegers) {
  for (std::string value :
       {"0", "101", "-1", "1.5", "1.0", "1e2", "1e400", "\"5\"", "true", "[]",
        "9223372036854775808", "18446744073709551616", "-9223372036854775809"}) {
    EXPECT_THAT(integer_complaint(value), testing::HasSubstr("integer between 1 and 100")) << value;
  }
}

TEST(FieldsTest, WhatLooksLikeAnIntegerIsToldWhyItIsNone) {
  EXPECT_EQ(integer_complaint("50.0"),
            "field 'a' must be an integer between 1 and 100, not a number with a fraction or an "
            "exponent");
  for (std::string value : {"1e400", "-1e400", "18446744073709551616"}) {
    EXPECT_EQ(integer_complaint(value),
              "field 'a' must be an integer between 1 and 100, not a number of that size");
  }
}

TEST(FieldsTest, InfinitiesAreNotEchoed) {
  Body body{R"({"a":1e400})"};
  EXPECT_EQ(body.fields.number("a", {0, 4}), std::nullopt);
  EXPECT_EQ(body.fields.finish().error().message,
            "field 'a' must be between 0 and 4, not a number of that size");
}

TEST(FieldsTest, NumbersAreFiniteAndBounded) {
  for (std::string value : {"-0.1", "4.1", "\"1\"", "null0"}) {
    auto parsed = parse("{\"a\":" + value + "}", Keys::strict);
    if (!parsed) continue;
    Fields fields{*parsed, "", Keys::strict};
    EXPECT_EQ(fields.number("a", {0, 4}), std::nullopt) << value;
    EXPECT_FALSE(fields.finish()) << value;
  }
  Body whole{R"({"a":4})"};
  EXPECT_EQ(whole.fields.number("a", {0, 4}), 4.0);
}

TEST(FieldsTest, WrongTypesSayWhatWasExpectedAndWhatCame) {
  Body body{R"({"a":5})"};
  (void)body.fields.text("a");
  EXPECT_EQ(body.fields.finish().error().message, "field 'a' must be a text, not an integer");
  Body flag{R"({"a":"yes"})"};
  (void)flag.fields.boolean("a");
  EXPECT_THAT(flag.fields.finish().error().message, testing::HasSubstr("true or false"));
}

TEST(FieldsTest, TextsHaveBounds) {
  Body body{R"({"a":"abc","b":["ok","toolong"],"c":["x","y","z"]})"};
  EXPECT_EQ(body.fields.text("a", {.length_min = 0, .length_max = 2}), std::nullopt);
  EXPECT_FALSE(body.fields.finish());
  Body items{R"({"b":["ok","toolong"]})"};
  EXPECT_TRUE(items.fields.texts("b", 5, {.length_min = 0, .length_max = 3}).empty());
  EXPECT_FALSE(items.fields.finish());
  Body many{R"({"c":["x","y","z"]})"};
  EXPECT_TRUE(many.fields.texts("c", 2).empty());
  EXPECT_FALSE(many.fields.finish());
}

TEST(FieldsTest, TheFirstMistakeIsTheOneTold) {
  Body body{R"({"a":1,"b":2,"c":3})"};
  (void)body.fields.text("a");
  (void)body.fields.text("b");
  EXPECT_THAT(body.fields.finish().error().message, testing::HasSubstr("'a'"));
}

TEST(FieldsTest, ABodyThatIsNoObjectIsRefused) {
  Body body{"[1]"};
  EXPECT_EQ(body.fields.text("a"), std::nullopt);
  EXPECT_EQ(body.fields.finish().error().message, "field 'body' must be an object, not an array");
}

TEST(FieldsTest, NestedMembersAreCalledByTheirPath) {
  auto value = *parse(R"({"cpus":"x"})", Keys::strict);
  Fields fields{value, "limits", Keys::strict};
  (void)fields.number("cpus", {0, 4});
  EXPECT_THAT(fields.finish().error().message, testing::HasSubstr("'limits.cpus'"));
}

}  // namespace
}  // namespace gantry::json
