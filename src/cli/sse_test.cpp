#include "cli/sse.hpp"

#include <gmock/gmock.h>

namespace gantry::cli {
namespace {

using ::testing::Eq;
using ::testing::Optional;

ServerEvent event(std::string name, std::string data) { return {std::move(name), std::move(data)}; }

TEST(EventParser, KnowsWhereTheStreamIs) {
  EventParser parser;
  parser.feed("id: 7\nevent: a\ndata: x\n");
  EXPECT_EQ(parser.last_id(), "");
  parser.feed("\n");
  EXPECT_EQ(parser.last_id(), "7");
  parser.feed("id: 8\n:\n\nevent: b\ndata: y\n\nid: 9\ndata: not whole");
  EXPECT_EQ(parser.last_id(), "8");
}

TEST(EventParser, GivesAnEventAtItsEmptyLine) {
  EventParser parser;
  parser.feed("event: stdout\ndata: {\"text\":\"6\"}\n");
  EXPECT_EQ(parser.next(), std::nullopt);
  parser.feed("\n");
  EXPECT_THAT(parser.next(), Optional(Eq(event("stdout", "{\"text\":\"6\"}"))));
  EXPECT_EQ(parser.next(), std::nullopt);
}

TEST(EventParser, ReadsEventsThatComeInSingleBytes) {
  EventParser parser;
  for (char c : std::string{"event: a\r\ndata: 1\r\n\r\ndata: 2\n\n"}) parser.feed({&c, 1});
  EXPECT_THAT(parser.next(), Optional(Eq(event("a", "1"))));
  EXPECT_THAT(parser.next(), Optional(Eq(event("message", "2"))));
}

TEST(EventParser, JoinsDataLines) {
  EventParser parser;
  parser.feed("data: a\ndata:b\ndata\n\n");
  EXPECT_THAT(parser.next(), Optional(Eq(event("message", "a\nb\n"))));
}

TEST(EventParser, ReadsOverCommentsIdsAndEventsWithoutData) {
  EventParser parser;
  parser.feed(": still here\n\nid: 7\nretry: 100\n\nevent: x\n\ndata: y\n\n");
  EXPECT_THAT(parser.next(), Optional(Eq((ServerEvent{"message", "y", "7"}))));
  EXPECT_EQ(parser.next(), std::nullopt);
}

TEST(EventParser, RefusesAnEventWithoutEnd) {
  EventParser parser;
  std::string piece(1U << 20U, 'x');
  bool fine = true;
  for (int i = 0; i < 100 && fine; ++i) fine = parser.feed(piece);
  EXPECT_FALSE(fine);
}

}  // namespace
}  // namespace gantry::cli
