#include "monitor/differences.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::monitor {
namespace {

using doctor::State;
using testing::ElementsAre;
using testing::IsEmpty;

Outcome outcome(std::string id, State state, std::string summary = "it is so") {
  return {.id = id, .title = id, .state = state, .summary = std::move(summary), .at = {}};
}

TEST(Differences, AreNoneOfTheSame) {
  std::vector<Outcome> outcomes{outcome("socket", State::ok), outcome("engine", State::failed)};
  EXPECT_THAT(differences(outcomes, outcomes), IsEmpty());
}

TEST(Differences, AreOtherStates) {
  auto before = outcome("socket", State::ok);
  auto after = outcome("socket", State::failed);
  EXPECT_THAT(differences({before}, {after}), ElementsAre(Difference{before, after}));
}

TEST(Differences, AreNotWhatIsOutOfSight) {
  auto seen = outcome("disk", State::ok);
  auto away = outcome("disk", State::unseen);
  auto full = outcome("disk", State::warning, "full");
  EXPECT_THAT(last_seen({seen}, {away}), ElementsAre(seen));
  EXPECT_THAT(last_seen({seen}, {full}), ElementsAre(full));
  EXPECT_THAT(last_seen({}, {away}), ElementsAre(away));
  EXPECT_THAT(differences({away}, {seen}), IsEmpty());
  EXPECT_THAT(differences({away}, {full}), ElementsAre(Difference{away, full}));
  EXPECT_THAT(differences({seen}, {away}), IsEmpty());
}

TEST(Differences, AreWhatAppliesNoMore) {
  auto wrong = outcome("membership", State::failed);
  auto needless = outcome("membership", State::skipped, "root needs no group");
  EXPECT_THAT(last_seen({wrong}, {needless}), ElementsAre(needless));
  EXPECT_THAT(differences({wrong}, {needless}), ElementsAre(Difference{wrong, needless}));
  EXPECT_THAT(differences({needless}, {wrong}), ElementsAre(Difference{needless, wrong}));
}

TEST(Differences, KeepTheDateOfWhatIsOutOfSight) {
  auto seen = outcome("disk", State::ok);
  seen.at = WallTime{Milliseconds{1'000}};
  auto away = outcome("disk", State::unseen);
  away.at = WallTime{Milliseconds{2'000}};
  EXPECT_THAT(last_seen({seen}, {away}), ElementsAre(seen));
}

TEST(Differences, AreOtherWordsOfWhatIsWrong) {
  auto group = outcome("socket_group", State::warning, "998 has no name");
  auto other = outcome("socket_group", State::warning, "999 has no name");
  EXPECT_THAT(differences({group}, {other}), ElementsAre(Difference{group, other}));
  auto away = outcome("engine", State::failed, "nothing there");
  auto shut = outcome("engine", State::failed, "permission denied");
  EXPECT_THAT(differences({away}, {shut}), ElementsAre(Difference{away, shut}));
}

TEST(Differences, AreNotOtherWordsOfWhatIsInOrder) {
  for (auto state : {State::skipped, State::unseen, State::ok, State::note}) {
    EXPECT_THAT(
        differences({outcome("disk", state, "9 % free")}, {outcome("disk", state, "8 % free")}),
        IsEmpty());
  }
}

TEST(Differences, AreNotOtherQuantities) {
  auto now = [](std::string summary) { return outcome("logs", State::warning, summary); };
  EXPECT_THAT(differences({now("9 % of the room in /a, 1.5 GB in 12 files, the largest")},
                          {now("8 % of the room in /a, 812 bytes in 9 files, the largest")}),
              IsEmpty());
  EXPECT_THAT(differences({now("9 % of the room in /a")}, {now("9 % of the room in /b")}),
              testing::SizeIs(1));
  EXPECT_THAT(differences({now("port 2375 is open")}, {now("port 2376 is open")}),
              testing::SizeIs(1));
}

TEST(Differences, AreChecksThatComeAndGo) {
  auto gone = outcome("registry", State::ok);
  auto fresh = outcome("names", State::ok);
  auto stays = outcome("socket", State::ok);
  EXPECT_THAT(differences({gone, stays}, {stays, fresh}),
              ElementsAre(Difference{std::nullopt, fresh}, Difference{gone, std::nullopt}));
}

TEST(Outcomes, AreOneLineEachAndNotLong) {
  doctor::Check check{"disk", "disk", "", nullptr};
  doctor::Report report;
  report.facts.at = WallTime{Milliseconds{1'000}};
  report.results = {{&check, {State::failed, "a\x1b[2J\nb" + std::string(5'000, 'x')}}};
  auto outcomes = outcomes_of(report);
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].id, "disk");
  EXPECT_EQ(outcomes[0].at, report.facts.at);
  EXPECT_LE(outcomes[0].summary.size(), summary_max + 3);
  EXPECT_THAT(outcomes[0].summary, testing::Not(testing::HasSubstr("\x1b")));
  EXPECT_THAT(outcomes[0].summary, testing::Not(testing::HasSubstr("\n")));
}

}  // namespace
}  // namespace gantry::monitor
