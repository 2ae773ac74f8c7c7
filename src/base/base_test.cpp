// The small types of base: errors, ids, secrets, clocks, randomness, bytes.
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/counted.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"

#include <array>
#include <set>
#include <type_traits>
#include <unordered_set>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry {
namespace {

constexpr std::array every_kind{
    ErrorKind::invalid,   ErrorKind::unauthenticated, ErrorKind::denied,    ErrorKind::not_found,
    ErrorKind::conflict,  ErrorKind::too_large,       ErrorKind::exhausted, ErrorKind::unavailable,
    ErrorKind::timed_out, ErrorKind::internal};

TEST(CountedTest, CountsForAsLongAsItLives) {
  std::size_t count = 0;
  {
    Counted one{count};
    EXPECT_EQ(count, 1U);
    Counted another{count};
    EXPECT_EQ(count, 2U);
  }
  EXPECT_EQ(count, 0U);
}

TEST(ErrorTest, EveryKindHasItsOwnLineInTheTable) {
  std::set<std::string_view> words;
  std::set<int> exit_codes;
  for (auto kind : every_kind) {
    const auto& line = traits(kind);
    EXPECT_EQ(line.kind, kind);
    EXPECT_GE(line.http_status, 400) << line.word;
    EXPECT_LT(line.http_status, 600) << line.word;
    EXPECT_GT(line.exit_code, 0) << line.word;
    words.insert(line.word);
    exit_codes.insert(line.exit_code);
  }
  EXPECT_EQ(words.size(), every_kind.size());
}

TEST(ErrorTest, TheStatusOfEachKindIsWhatHttpMeansByIt) {
  EXPECT_EQ(traits(ErrorKind::invalid).http_status, 400);
  EXPECT_EQ(traits(ErrorKind::unauthenticated).http_status, 401);
  EXPECT_EQ(traits(ErrorKind::denied).http_status, 403);
  EXPECT_EQ(traits(ErrorKind::not_found).http_status, 404);
  EXPECT_EQ(traits(ErrorKind::conflict).http_status, 409);
  EXPECT_EQ(traits(ErrorKind::too_large).http_status, 413);
  EXPECT_EQ(traits(ErrorKind::exhausted).http_status, 429);
  EXPECT_EQ(traits(ErrorKind::internal).http_status, 500);
}

TEST(ErrorTest, MessageAndRemedyMakeOneSentence) {
  Error error{ErrorKind::invalid, "code", "cannot do it: because", "do that"};
  EXPECT_EQ(error.sentence(), "cannot do it: because; do that");
  error.remedy.clear();
  EXPECT_EQ(error.sentence(), "cannot do it: because");
  EXPECT_STREQ(Failure{error}.what(), "cannot do it: because");
}

TEST(ErrorTest, ARefusalIsThrownWhereItIsABreakdown) {
  EXPECT_EQ(value_or_throw(Result<int>{3}), 3);
  Result<int> refused = fail(ErrorKind::denied, "no", "cannot do it");
  EXPECT_THROW(value_or_throw(refused), Failure);
  EXPECT_NO_THROW(value_or_throw(Result<>{ok}));
}

TEST(ErrorDeathTest, ABugEndsTheProcessAndNamesItself) {
  EXPECT_DEATH(CHECK(1 + 1 == 3), "1 \\+ 1 == 3");
}

using HostId = Id<struct HostTag>;
using ImageId = Id<struct ImageTag>;

TEST(IdTest, IdsOfDifferentSortsDoNotMix) {
  static_assert(!std::is_convertible_v<HostId, ImageId>);
  static_assert(!std::is_convertible_v<std::string, HostId>);
  EXPECT_LT(HostId{"a"}, HostId{"b"});
  EXPECT_TRUE(HostId{}.empty());
  EXPECT_EQ((std::unordered_set<HostId>{HostId{"a"}, HostId{"a"}}.size()), 1U);
}

TEST(SecretTest, ItMatchesOnlyItself) {
  Secret secret{"correct horse"};
  EXPECT_TRUE(secret.matches("correct horse"));
  EXPECT_FALSE(secret.matches("correct hors"));
  EXPECT_FALSE(secret.matches("correct horsE"));
  EXPECT_FALSE(secret.matches(""));
}

TEST(SecretTest, AnEmptyOneMatchesNothing) {
  EXPECT_FALSE(Secret{}.matches(""));
  EXPECT_TRUE(Secret{}.empty());
}

TEST(SecretTest, ItHasNoFormatter) { static_assert(!fmt::is_formattable<Secret>::value); }

TEST(SecretTest, MovingLeavesNothingBehind) {
  Secret from{"short"};
  Secret to{std::move(from)};
  EXPECT_EQ(to.reveal(), "short");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is the question
  Secret other{"other"};
  other = std::move(to);
  EXPECT_EQ(other.reveal(), "short");
  EXPECT_TRUE(to.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(ClockTest, TimesAreWrittenAsRfc3339) {
  EXPECT_EQ(rfc3339(WallTime{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(WallTime{Milliseconds{1'795'305'101'123}}), "2026-11-21T23:51:41.123Z");
  EXPECT_EQ(rfc3339(WallTime{Milliseconds{-1}}), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339(WallTime{Milliseconds{951'782'400'000}}), "2000-02-29T00:00:00.000Z");
}

TEST(ClockTest, ATestOwnsTime) {
  WallTime now{Milliseconds{5}};
  Clock clock{[&now] { return now; }};
  now += Milliseconds{1};
  EXPECT_EQ(clock.now(), WallTime{Milliseconds{6}});
  EXPECT_GT(Clock{}.now(), WallTime{Milliseconds{1'700'000'000'000}});
}

TEST(RandomTest, WordsAreLongAndNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(random::word(12));
  EXPECT_EQ(seen.size(), 1'000U);
  EXPECT_EQ(random::word(0), "");
  EXPECT_EQ(random::word(64).find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz"),
            std::string::npos);
}

TEST(RandomTest, SortableIdsSortByTime) {
  auto early = random::sortable_id(1'700'000'000'000);
  auto late = random::sortable_id(1'700'000'000'001);
  EXPECT_EQ(early.size(), 26U);
  EXPECT_LT(early, late);
  EXPECT_NE(random::sortable_id(1), random::sortable_id(1));
}

TEST(RandomTest, BelowStaysBelow) {
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(random::below(3));
  EXPECT_THAT(seen, testing::ElementsAre(0, 1, 2));
}

TEST(BytesTest, UnitsAreBinary) {
  using namespace literals;
  EXPECT_EQ(1_KiB, 1024_B);
  EXPECT_EQ((1_MiB + 1_B).count, 1'048'577U);
  EXPECT_LT(1_MiB, 1_GiB);
}

}  // namespace
}  // namespace gantry
