#include "cli/columns.hpp"

#include <gtest/gtest.h>

namespace gantry::cli {
namespace {

using namespace std::chrono_literals;
using Show = Column::Show;

const WallTime now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 12h;

std::string shown(Column column, std::string_view item) {
  return cell(column, value_or_throw(json::parse(item, json::Keys::strict)), now);
}

TEST(Cell, FindsMembersOfMembers) {
  EXPECT_EQ(shown({"", "engine.version"}, R"({"engine":{"version":"27.1"}})"), "27.1");
  EXPECT_EQ(shown({"", "engine.version"}, R"({"engine":null})"), "");
  EXPECT_EQ(shown({"", "engine.version"}, "{}"), "");
}

TEST(Cell, ShowsEachKindInItsWay) {
  EXPECT_EQ(shown({"", "id", Show::id}, R"({"id":"0123456789abcdef"})"), "0123456789ab");
  EXPECT_EQ(shown({"", "id", Show::id}, R"({"id":"sha256:0123456789abcdef"})"), "0123456789ab");
  EXPECT_EQ(shown({"", "a", Show::list}, R"({"a":["x","y"]})"), "x,y");
  EXPECT_EQ(shown({"", "a", Show::list}, R"({"a":{"x":"1"}})"), "x=1");
  EXPECT_EQ(shown({"", "a", Show::yes}, R"({"a":true})"), "yes");
  EXPECT_EQ(shown({"", "a", Show::yes}, R"({"a":false})"), "");
  EXPECT_EQ(shown({"", "a", Show::count}, R"({"a":[1,2,3]})"), "3");
  EXPECT_EQ(shown({"", "a", Show::size}, R"({"a":1536})"), "1.5 KiB");
  EXPECT_EQ(shown({"", "a", Show::age}, R"({"a":"2026-11-22T09:00:00.000Z"})"), "3 hours ago");
}

TEST(Cell, ShowsWhatIsOfAnotherTypeAsItIs) {
  EXPECT_EQ(shown({"", "a", Show::size}, R"({"a":"big"})"), "big");
  EXPECT_EQ(shown({"", "a", Show::age}, R"({"a":"yesterday"})"), "yesterday");
  EXPECT_EQ(shown({"", "a"}, R"({"a":[1]})"), "[1]");
}

TEST(AgeOf, IsRoundedDownToTheLargestUnit) {
  EXPECT_EQ(age_of("2026-11-22T12:00:00Z", now), "now");
  EXPECT_EQ(age_of("2026-11-22T11:59:59Z", now), "1 second ago");
  EXPECT_EQ(age_of("2026-11-22T11:00:01Z", now), "59 minutes ago");
  EXPECT_EQ(age_of("2026-11-20T11:00:00Z", now), "2 days ago");
  EXPECT_EQ(age_of("2026-13-20T11:00:00Z", now), "2026-13-20T11:00:00Z");
}

TEST(SizeText, GrowsByPowersOf1024) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1024), "1.0 KiB");
  EXPECT_EQ(size_text(std::int64_t{5} << 40), "5.0 TiB");
}

TEST(MembersOf, NamesNestedMembersByTheirPath) {
  auto value = value_or_throw(json::parse(R"({"a":{"b":1},"c":["x"]})", json::Keys::strict));
  EXPECT_EQ(members_of(value), "MEMBER  VALUE\na.b     1\nc       x\n");
}

TEST(MembersOf, HasALineForEachItemOfAList) {
  auto value = value_or_throw(json::parse(
      R"({"command":["sh","-c","a,b"],"env":[{"name":"A","value":"1"}],"none":[],"no":{}})",
      json::Keys::strict));
  EXPECT_EQ(members_of(value),
            "MEMBER   VALUE\n"
            "command  sh\n"
            "         -c\n"
            "         a,b\n"
            "env      A=1\n"
            "none\n"
            "no\n");
}

TEST(Cell, ShowsNoJsonToPeople) {
  constexpr auto item = R"({"a":[{"service":"db","condition":"started","aliases":[]},
                                 {"service":"job","condition":"completed"}]})";
  EXPECT_EQ(shown({"", "a", Show::list}, item),
            "service=db condition=started, service=job condition=completed");
}

}  // namespace
}  // namespace gantry::cli
