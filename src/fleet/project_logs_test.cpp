#include "fleet/project_logs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using engine::Output;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<LogLine> lines_of(LineJoiner& joiner) {
  std::vector<LogLine> out;
  while (auto line = joiner.next()) out.push_back(std::move(*line));
  return out;
}

TEST(FleetProjectLogs, AnEntryIsALineWithoutItsEnd) {
  LineJoiner joiner;
  joiner.add(Output::err, 7, "hello there\r\n");
  EXPECT_THAT(lines_of(joiner), ElementsAre(LogLine{7, Output::err, "hello there"}));
}

TEST(FleetProjectLogs, PiecesOfALongLineAreOneWithTheTimeOfItsBeginning) {
  LineJoiner joiner;
  joiner.add(Output::out, 1, "be");
  joiner.add(Output::err, 2, "error\n");
  joiner.add(Output::out, 3, "gun\n");
  EXPECT_THAT(lines_of(joiner),
              ElementsAre(LogLine{2, Output::err, "error"}, LogLine{1, Output::out, "begun"}));
}

TEST(FleetProjectLogs, AnEntryMayHoldSeveralLines) {
  LineJoiner joiner;
  joiner.add(Output::out, 1, "one\n\ntwo");
  joiner.add(Output::out, 2, " and more\n");
  EXPECT_THAT(lines_of(joiner),
              ElementsAre(LogLine{1, Output::out, "one"}, LogLine{1, Output::out, ""},
                          LogLine{1, Output::out, "two and more"}));
}

TEST(FleetProjectLogs, ALastLineNeedsNoEnd) {
  LineJoiner joiner;
  joiner.add(Output::out, 1, "prompt$ ");
  EXPECT_THAT(lines_of(joiner), IsEmpty());
  joiner.finish();
  EXPECT_THAT(lines_of(joiner), ElementsAre(LogLine{1, Output::out, "prompt$ "}));
}

TEST(FleetProjectLogs, ALineWithoutEndIsCutAtItsLimit) {
  LineJoiner joiner;
  for (int i = 0; i < 3; ++i) joiner.add(Output::out, 1, std::string(600'000, 'x'));
  auto lines = lines_of(joiner);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].text.size(), 1'200'000U);
}

std::string code_of(const Result<LogRoom::Place>& taken) {
  return taken ? "ok" : taken.error().code;
}

TEST(FleetLogRoom, IsBoundedForAHistoryAHostAndAllOfThem) {
  LogRoom room{{.sources_max = 4, .of_host_max = 6, .all_max = 9}};
  EXPECT_EQ(code_of(room.take("a", 5)), "too_many_logs");
  auto first = room.take("a", 4);
  EXPECT_EQ(code_of(first), "ok");
  EXPECT_EQ(code_of(room.take("a", 3)), "logs_busy");
  auto second = room.take("b", 4);
  EXPECT_EQ(code_of(second), "ok");
  EXPECT_EQ(code_of(room.take("c", 2)), "logs_busy");
  EXPECT_EQ(room.taken(), 8U);
}

TEST(FleetLogRoom, IsFreeAgainWhenAPlaceGoes) {
  LogRoom room{{.sources_max = 4, .of_host_max = 4, .all_max = 4}};
  {
    auto taken = value_or_throw(room.take("a", 4));
    EXPECT_EQ(code_of(room.take("a", 1)), "logs_busy");
  }
  EXPECT_EQ(room.taken(), 0U);
  EXPECT_EQ(code_of(room.take("a", 4)), "ok");
}

}  // namespace
}  // namespace gantry::fleet
