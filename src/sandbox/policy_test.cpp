#include "sandbox/policy.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::HasSubstr;

Result<Policy> read(std::string_view text) {
  auto value = json::parse(text, json::Keys::strict);
  if (!value) return fail(value.error());
  return read_policy(*value);
}

Result<Policy> with(std::string_view field, std::string_view number) {
  return read(fmt::format(R"({{"{}":{}}})", field, number));
}

TEST(PolicyTest, NothingSaidMeansTheUsual) {
  auto policy = read("{}").value();
  EXPECT_EQ(policy.wall_time, Milliseconds{10'000});
  EXPECT_EQ(policy.cpu_time, Milliseconds{10'000});
  EXPECT_EQ(policy.memory.count, 256U << 20U);
  EXPECT_EQ(policy.cpus, 1.0);
  EXPECT_EQ(policy.pids, 64);
  EXPECT_EQ(policy.output.count, 1U << 20U);
  EXPECT_EQ(policy.tmpfs.count, 64U << 20U);
}

TEST(PolicyTest, TheUsualIsWhatAPolicyOfOursBeginsWith) {
  auto policy = read("{}").value();
  Policy fresh;
  EXPECT_EQ(policy.wall_time, fresh.wall_time);
  EXPECT_EQ(policy.memory, fresh.memory);
  EXPECT_EQ(policy.output, fresh.output);
  EXPECT_EQ(policy.tmpfs, fresh.tmpfs);
  EXPECT_EQ(policy.pids, fresh.pids);
}

TEST(PolicyTest, CpuTimeFollowsTheWallTimeUnlessItIsGiven) {
  EXPECT_EQ(read(R"({"wall_time_ms":2500})")->cpu_time, Milliseconds{2'500});
  EXPECT_EQ(read(R"({"wall_time_ms":2500,"cpu_time_ms":null})")->cpu_time, Milliseconds{2'500});
  EXPECT_EQ(read(R"({"wall_time_ms":2500,"cpu_time_ms":100})")->cpu_time, Milliseconds{100});
}

TEST(PolicyTest, HalfACpuIsALimitToo) { EXPECT_EQ(with("cpus", "0.5")->cpus, 0.5); }

TEST(PolicyTest, UnknownAndDuplicateFieldsAreRefused) {
  EXPECT_EQ(with("memory", "1").error().message, "field 'limits.memory' is unknown");
  EXPECT_EQ(read(R"({"pids":5,"pids":6})").error().code, "duplicate_key");
  EXPECT_THAT(read("[]").error().message, HasSubstr("'limits' must be an object"));
}

TEST(PolicyTest, ARefusalNamesBothBounds) {
  EXPECT_EQ(with("pids", "2000").error().message,
            "field 'limits.pids' must be an integer between 4 and 1024, not 2000");
}

class PolicyBound : public testing::TestWithParam<Bound> {
 protected:
  static std::string text(double number) { return fmt::format("{}", number); }
  Result<Policy> value(std::string_view number) const { return with(GetParam().field, number); }
  /// The least step beside a bound.
  double step() const { return GetParam().field == "cpus" ? 0.01 : 1; }
};

TEST_P(PolicyBound, BothEndsAreTakenAndTheUsualLiesBetween) {
  EXPECT_TRUE(value(text(GetParam().min)));
  EXPECT_TRUE(value(text(GetParam().max)));
  EXPECT_LE(GetParam().min, GetParam().usual);
  EXPECT_LE(GetParam().usual, GetParam().max);
}

TEST_P(PolicyBound, OneStepOutsideIsRefused) {
  EXPECT_FALSE(value(text(GetParam().min - step())));
  EXPECT_FALSE(value(text(GetParam().max + step())));
}

TEST_P(PolicyBound, ZeroNegativeAndHugeAreRefused) {
  EXPECT_FALSE(value("0"));
  EXPECT_FALSE(value("-1"));
  EXPECT_FALSE(value("9223372036854775807"));
  EXPECT_FALSE(value("18446744073709551616"));
  EXPECT_FALSE(value("1e300"));
}

TEST_P(PolicyBound, OnlyANumberWillDo) {
  EXPECT_FALSE(value(R"("10")"));
  EXPECT_FALSE(value("true"));
  EXPECT_FALSE(value("[]"));
}

TEST_P(PolicyBound, OnlyCpusMayBeFractions) {
  auto fraction = GetParam().min + 0.5;
  EXPECT_EQ(value(text(fraction)).has_value(), GetParam().field == "cpus");
}

TEST(PolicyTest, ModesAreReadByTheirWords) {
  EXPECT_EQ(read(R"({"on_output_cap":"end"})")->on_output_cap, OnOutputCap::end);
  EXPECT_EQ(read("{}")->on_output_cap, OnOutputCap::truncate);
  EXPECT_EQ(read(R"({"network":"none"})")->network, Network::none);
  EXPECT_EQ(read(R"({"filesystem":"temp"})")->filesystem, Filesystem::temp);
  EXPECT_EQ(read(R"({"runtime":"runc"})")->runtime, Runtime::runc);
}

TEST(PolicyTest, AModeThatIsNotAllowedIsRefusedWithThoseThatAre) {
  EXPECT_EQ(read(R"({"on_output_cap":"kill"})").error().message,
            "field 'limits.on_output_cap' must be one of truncate, end, not 'kill'");
  EXPECT_THAT(read(R"({"network":"full"})").error().message, HasSubstr("'limits.network'"));
  EXPECT_THAT(read(R"({"network":1})").error().message, HasSubstr("must be a text"));
}

TEST(PolicyTest, AWorkspaceNeedsItsFilesystem) {
  EXPECT_THAT(read(R"({"workspace":"mine"})").error().message,
              HasSubstr("'limits.workspace' needs 'filesystem' to be 'workspace'"));
}

INSTANTIATE_TEST_SUITE_P(All, PolicyBound, testing::ValuesIn(bounds().begin(), bounds().end()),
                         [](const auto& info) { return std::string{info.param.field}; });

}  // namespace
}  // namespace gantry::sandbox
