#include "sandbox/outbound_addresses.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

engine::Network bridge() {
  engine::Network network;
  network.subnets = {{"172.18.0.0/16", "172.18.0.1"}};
  return network;
}

HostAddresses host() {
  return {.ipv4 = {"203.0.113.7/32"}, .ipv6 = {"::1/128", "2001:db8::7/128"}};
}

std::vector<std::string> targets() { return canary_targets(host(), bridge(), "198.51.100.53"); }

/// What a canary says that got `error` everywhere but at `odd`.
std::string words(const std::vector<std::string>& targets, const std::string& odd, int error) {
  std::string words;
  for (const auto& target : targets) {
    int usual = target.starts_with("route/") ? 0 : 113;
    words += fmt::format("{} {}\n", target, target == odd ? error : usual);
  }
  return words + "end\n";
}

TEST(OutboundSurveyTest, IsReadWithoutTheLoopback) {
  auto host = read_survey("127.0.0.0/8\n127.0.0.1/32\n203.0.113.7/32\n::1/128\nend\n");
  ASSERT_TRUE(host);
  EXPECT_THAT(host->ipv4, ElementsAre("203.0.113.7/32"));
  EXPECT_THAT(host->ipv6, ElementsAre("::1/128"));
}

TEST(OutboundSurveyTest, ThatBreaksOffIsRefused) {
  auto host = read_survey("203.0.113.7/32\n");
  ASSERT_FALSE(host);
  EXPECT_EQ(host.error().code, "network_not_available");
}

TEST(OutboundSurveyTest, OfAHostWithoutAnyAddressIsRefused) {
  EXPECT_FALSE(read_survey("127.0.0.1/32\nend\n"));
}

TEST(OutboundSurveyTest, WithWhatIsNoAddressIsRefused) {
  EXPECT_FALSE(read_survey("203.0.113.7/32\n203.0.113.8/33\nend\n"));
}

TEST(OutboundBlockedTest, IsWhatIsNotOutsideTheHostItsNetworksAndTheOwnersWishes) {
  engine::Network other;
  other.subnets = {{"198.51.100.0/24", "198.51.100.1"}, {"fd01::/64", "fd01::1"}};
  std::vector<engine::Network> networks{bridge(), other};
  auto blocked = blocked_prefixes(host(), networks, {.blocked = {"192.0.2.9", "192.0.2.77/25"}});
  EXPECT_THAT(blocked,
              AllOf(Contains("10.0.0.0/8"), Contains("169.254.0.0/16"), Contains("100.64.0.0/10"),
                    Contains("203.0.113.7/32"), Contains("172.18.0.0/16"),
                    Contains("172.18.0.1/32"), Contains("198.51.100.0/24")));
  EXPECT_THAT(blocked, AllOf(Contains("192.0.2.9/32"), Contains("192.0.2.0/25"),
                             Not(Contains(HasSubstr(":")))));
}

TEST(OutboundBlockedTest, HasEachPrefixOnce) {
  std::vector<engine::Network> networks{bridge(), bridge()};
  auto blocked = blocked_prefixes(host(), networks, {});
  std::ranges::sort(blocked);
  EXPECT_EQ(std::ranges::adjacent_find(blocked), blocked.end());
}

TEST(OutboundCanaryTest, TriesGatewayNeighbourHostAndMetadata) {
  EXPECT_THAT(targets(),
              AllOf(Contains("tcp/172.18.0.1/2375"), Contains("tcp/172.18.255.254/80"),
                    Contains("spread/172.18.255.255/67"), Contains("tcp/203.0.113.7/5920"),
                    Contains("tcp/2001:db8::7/5920"), Contains("tcp/169.254.169.254/80")));
}

TEST(OutboundCanaryTest, NamesTheInterfaceToThem) {
  EXPECT_THAT(targets(),
              AllOf(Contains("device/172.18.0.1/53"), Contains("pktinfo/172.18.0.1/53"),
                    Contains("unicast/172.18.0.1/53"), Contains("link/172.18.0.1/53"),
                    Contains("device/172.18.255.254/53"), Contains("device/::ffff:172.18.0.1/53"),
                    Contains("device/203.0.113.7/53"), Contains("pktinfo/203.0.113.7/53"),
                    Contains("device/2001:db8::7/53")));
}

TEST(OutboundCanaryTest, WantsARouteToTheFirstResolver) {
  EXPECT_EQ(targets().at(0), "route/198.51.100.53/53");
}

TEST(OutboundCanaryTest, ProvesItWhenEverythingFailedAtOnce) {
  auto tried = targets();
  EXPECT_TRUE(judge_canary(tried, words(tried, "", 0)));
}

struct Finding {
  const char* name;
  const char* target;
  int error;
  const char* complaint;
};

void PrintTo(const Finding& finding, std::ostream* out) { *out << finding.name; }

class OutboundFinding : public testing::TestWithParam<Finding> {};

TEST_P(OutboundFinding, IsAReasonToRefuse) {
  auto tried = targets();
  ASSERT_THAT(tried, Contains(GetParam().target));
  auto judged = judge_canary(tried, words(tried, GetParam().target, GetParam().error));
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().code, "network_not_available");
  EXPECT_THAT(judged.error().message,
              AllOf(HasSubstr("'limits.network'"), HasSubstr(GetParam().complaint)));
}

INSTANTIATE_TEST_SUITE_P(
    Of, OutboundFinding,
    testing::Values(
        Finding{"AnAnswer", "tcp/172.18.0.1/22", 0, "'tcp/172.18.0.1/22' can be reached"},
        Finding{"Silence", "tcp/169.254.169.254/80", 110, "only does not answer"},
        Finding{"ABroadcastThatWentOut", "spread/255.255.255.255/67", 0, "can be reached"},
        Finding{"ADatagramPastTheRoutes", "device/172.18.0.1/53", 0, "can be reached"},
        Finding{"ADatagramThatNamesTheInterface", "pktinfo/203.0.113.7/53", 0, "can be reached"},
        Finding{"ATestThatFailed", "spread/224.0.0.1/53", 22, "could not be tried"},
        Finding{"NoAddressToSendFrom", "tcp/10.0.0.1/80", 99, "could not be tried"},
        Finding{"NoWayOut", "route/198.51.100.53/53", 101, "no route to the outside"}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(OutboundCanaryTest, WithoutAnAddressOfIpv6HasNoIpv6) {
  auto tried = targets();
  EXPECT_TRUE(judge_canary(tried, words(tried, "tcp/fc00::1/80", 99)));
}

TEST(OutboundCanaryTest, ThatWasCutShortProvesNothing) {
  auto tried = targets();
  auto said = words(tried, "", 0);
  EXPECT_FALSE(judge_canary(tried, said.substr(0, said.size() / 2)));
}

TEST(OutboundWishesTest, AsShippedAreSound) { EXPECT_TRUE(OutboundWishes{}.check()); }

TEST(OutboundWishesTest, NameResolutionInsideIsRefused) {
  auto refused = OutboundWishes{.dns = {"192.168.1.1"}}.check();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("outbound_dns"), HasSubstr("192.168.1.1")));
}

TEST(OutboundWishesTest, NameResolutionThatIsBlockedIsRefused) {
  auto refused = OutboundWishes{.blocked = {"192.0.2.0/24", "9.0.0.0/8"}}.check();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("outbound_blocked"), HasSubstr("9.0.0.0/8"), HasSubstr("9.9.9.9")));
}

TEST(OutboundWishesTest, WhatIsNoAddressIsRefused) {
  EXPECT_FALSE(OutboundWishes{.dns = {"one.one"}}.check());
  EXPECT_FALSE(OutboundWishes{.dns = {}}.check());
  EXPECT_FALSE((OutboundWishes{.blocked = {"203.0.113.0/0"}}.check()));
}

}  // namespace
}  // namespace gantry::sandbox
