#include "sandbox/policy_bounds.hpp"

#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

json::Value parsed(std::string_view text) {
  return value_or_throw(json::parse(text, json::Keys::strict));
}

/// A server of an owner who changed what was shipped.
PolicyBounds server(std::string_view text) {
  return value_or_throw(PolicyBounds{}.changed(parsed(text), PolicyBounds::widest(), "limits"));
}

std::string mistake(const Result<PolicyBounds>& bounds) {
  return bounds ? "none" : bounds.error().message;
}

TEST(PolicyBounds, OfAServerMayBeWiderThanShipped) {
  auto bounds = server(R"({"wall_time_ms":{"max":3600000,"default":60000},
                           "network":{"allowed":["none","full"],"default":"full"}})");
  EXPECT_EQ(bounds.read(parsed("{}"))->wall_time, Milliseconds{60'000});
  EXPECT_EQ(bounds.read(parsed(R"({"wall_time_ms":3600000})"))->wall_time, Milliseconds{3'600'000});
  EXPECT_EQ(bounds.read(parsed("{}"))->network, Network::full);
  EXPECT_EQ(bounds.read(parsed(R"({"network":"outbound"})")).error().message,
            "field 'limits.network' must be one of none, full, not 'outbound'");
}

TEST(PolicyBounds, OfAServerEndWhereTheCodeDoes) {
  auto refused = PolicyBounds{}.changed(parsed(R"({"output_bytes":{"max":16777217}})"),
                                        PolicyBounds::widest(), "limits");
  EXPECT_EQ(mistake(refused),
            "field 'limits.output_bytes.max' must be an integer between 1 and 16777216, "
            "not 16777217");
}

TEST(PolicyBounds, RefuseWhatTheyDoNotAllowNamingBothOfThem) {
  auto bounds = server(R"({"pids":{"min":8,"max":16,"default":10}})");
  EXPECT_EQ(bounds.read(parsed(R"({"pids":17})")).error().message,
            "field 'limits.pids' must be an integer between 8 and 16, not 17");
  EXPECT_EQ(bounds.read(parsed("{}"))->pids, 10);
}

TEST(PolicyBounds, MoveADefaultThatIsNotGiven) {
  EXPECT_EQ(server(R"({"pids":{"max":16}})").number("pids").usual, 16);
  EXPECT_EQ(server(R"({"pids":{"min":100}})").number("pids").usual, 100);
  EXPECT_EQ(server(R"({"on_output_cap":{"allowed":["end"]}})").read(parsed("{}"))->on_output_cap,
            OnOutputCap::end);
}

TEST(PolicyBounds, RefuseDefaultsOutsideAndBoundsThatAreNone) {
  auto change = [](std::string_view text) {
    return mistake(PolicyBounds{}.narrowed(parsed(text), "limits"));
  };
  EXPECT_EQ(change(R"({"pids":{"max":16,"default":17}})"),
            "field 'limits.pids.default' must be an integer between 4 and 16, not 17");
  EXPECT_EQ(change(R"({"pids":{"min":16,"max":15}})"),
            "field 'limits.pids.min' must be at most 'max', which is 15");
  EXPECT_EQ(change(R"({"pids":16})"), "field 'limits.pids' must be an object, not an integer");
  EXPECT_EQ(change(R"({"pids":{"most":16}})"), "field 'limits.pids.most' is unknown");
  EXPECT_EQ(change(R"({"threads":{"max":16}})"), "field 'limits.threads' is unknown");
  EXPECT_EQ(change(R"({"runtime":{"allowed":[]}})"),
            "field 'limits.runtime.allowed' must allow something");
  EXPECT_EQ(change(R"({"on_output_cap":{"allowed":["end"],"default":"truncate"}})"),
            "field 'limits.on_output_cap.default' must be one of end");
}

TEST(PolicyBounds, AreNarrowedButNeverWidened) {
  auto bounds = server(R"({"wall_time_ms":{"min":10,"max":5000}})");
  EXPECT_EQ(value_or_throw(bounds.narrowed(parsed(R"({"wall_time_ms":{"max":100}})"), "limits"))
                .number("wall_time_ms")
                .max,
            100);
  EXPECT_EQ(mistake(bounds.narrowed(parsed(R"({"wall_time_ms":{"max":5001}})"), "limits")),
            "field 'limits.wall_time_ms.max' must be an integer between 10 and 5000, not 5001");
  EXPECT_EQ(mistake(bounds.narrowed(parsed(R"({"wall_time_ms":{"min":9}})"), "limits")),
            "field 'limits.wall_time_ms.min' must be an integer between 10 and 5000, not 9");
  EXPECT_EQ(mistake(bounds.narrowed(parsed(R"({"network":{"allowed":["full"]}})"), "limits")),
            "field 'limits.network.allowed' must hold only none, outbound, not 'full'");
}

TEST(PolicyBounds, MeetWhatWasAcceptedWhenTheyWereWider) {
  auto bounds = server(R"({"wall_time_ms":{"min":10,"max":5000}})");
  auto met = [&](std::string_view accepted) {
    return value_or_throw(bounds.met(parsed(accepted))).number("wall_time_ms");
  };
  EXPECT_EQ(met(R"({"wall_time_ms":{"max":60000}})").max, 5000);
  EXPECT_EQ(met(R"({"wall_time_ms":{"max":100}})").max, 100);
  EXPECT_EQ(met(R"({"wall_time_ms":{"max":5}})").max, 10) << "what is too narrow now has one value";
  EXPECT_EQ(met("{}").max, 5000);
}

TEST(PolicyBounds, ThatHaveNothingInCommonWithATokenAllowNothing) {
  auto bounds = server(R"({"on_output_cap":{"allowed":["end"]}})");
  auto met = value_or_throw(bounds.met(parsed(R"({"on_output_cap":{"allowed":["truncate"]}})")));
  EXPECT_THAT(met.modes().front().allowed, IsEmpty());
  EXPECT_FALSE(met.read(parsed("{}")));
}

TEST(PolicyBounds, LetTheCpuTimeFollowTheWallTimeUnlessTheyHaveADefaultForIt) {
  EXPECT_EQ(server(R"({"cpu_time_ms":{"max":4000}})").read(parsed("{}"))->cpu_time,
            Milliseconds{4'000});
  EXPECT_EQ(server(R"({"cpu_time_ms":{"default":2000}})").read(parsed("{}"))->cpu_time,
            Milliseconds{2'000});
}

TEST(PolicyBounds, AreCappedByWhatAnEngineHas) {
  EXPECT_EQ(PolicyBounds{}.capped("cpus", 2).number("cpus").max, 2);
  EXPECT_EQ(PolicyBounds{}.capped("cpus", 0.05).number("cpus").min, 0.05);
  EXPECT_EQ(PolicyBounds{}.capped("cpus", 64).number("cpus").max, 8);
}

TEST(PolicyBounds, GrantUsualValuesAsFarAsTheyReach) {
  auto bounds = server(R"({"memory_bytes":{"max":300000000}})");
  EXPECT_EQ(bounds.preferring({{"memory_bytes", 1e9}}).number("memory_bytes").usual, 3e8);
  EXPECT_EQ(bounds.preferring({{"pids", 10}}).number("pids").usual, 64);
}

TEST(PolicyBounds, ReadAWorkspaceWhereItIsAllowed) {
  auto bounds = server(R"({"filesystem":{"allowed":["temp","workspace"]}})");
  auto policy = bounds.read(parsed(R"({"filesystem":"workspace","workspace":"my-data_2"})"));
  EXPECT_EQ(policy->workspace, "my-data_2");
  EXPECT_THAT(bounds.read(parsed(R"({"filesystem":"workspace"})")).error().message,
              HasSubstr("'limits.workspace' is missing"));
  EXPECT_THAT(
      bounds.read(parsed(R"({"filesystem":"workspace","workspace":"../x"})")).error().message,
      HasSubstr("must have only small letters"));
}

constexpr std::array<std::string_view, 2> roles{"viewer", "admin"};

TEST(ServerBounds, AreNarrowerForSomeRoles) {
  auto bounds = value_or_throw(ServerBounds::read(
      parsed(R"({"pids":{"max":100},"roles":{"viewer":{"pids":{"max":10}}}})"), roles));
  EXPECT_EQ(bounds.of("viewer").number("pids").max, 10);
  EXPECT_EQ(bounds.of("admin").number("pids").max, 100);
  EXPECT_EQ(bounds.everybody().number("pids").max, 100);
}

TEST(ServerBounds, RefuseRolesThatAreWiderOrUnknown) {
  auto wrong = [](std::string_view text) {
    return ServerBounds::read(parsed(text), roles).error().message;
  };
  EXPECT_EQ(wrong(R"({"pids":{"max":100},"roles":{"viewer":{"pids":{"max":101}}}})"),
            "field 'limits.roles.viewer.pids.max' must be an integer between 4 and 100, not 101");
  EXPECT_EQ(wrong(R"({"roles":{"owner":{}}})"), "field 'limits.roles.owner' is unknown");
  EXPECT_EQ(wrong(R"({"roles":[]})"), "field 'limits.roles' must be an object, not an array");
  EXPECT_EQ(wrong("[]"), "field 'limits' must be an object");
}

TEST(ServerBounds, AsShippedAreTheSameForEverybody) {
  EXPECT_EQ(ServerBounds{}.of("viewer").number("pids").max, 1024);
  EXPECT_THAT(ServerBounds{}.everybody().modes()[1].allowed, ElementsAre("none", "outbound"));
}

}  // namespace
}  // namespace gantry::sandbox
