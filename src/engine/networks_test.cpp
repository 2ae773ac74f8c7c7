#include "engine/networks.hpp"

#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::engine {
namespace {

using testing::ElementsAre;
using testing::Pair;

class EngineNetworks : public testing::Test {
 protected:
  template <class T>
  T run(async::task<T> work) {
    return loop_.run(std::move(work));
  }

  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::unique_ptr<Client> client_ = daemon_.client(loop_.executor());
};

TEST_F(EngineNetworks, ANewOneIsWhatTheSpecSays) {
  daemon_.expect("POST", "/networks/create").reply(201, R"({"Id":"abc","Warning":""})");
  NetworkSpec spec{.name = "inner",
                   .internal = true,
                   .subnets = {{"10.9.0.0/24", "10.9.0.1", "10.9.0.128/25"}},
                   .labels = {{"a", "b"}}};
  EXPECT_EQ(value_or_throw(run(create_network(*client_, std::move(spec)))), "abc");
  EXPECT_EQ(daemon_.last_body(),
            R"({"Name":"inner","CheckDuplicate":true,"Driver":"bridge","Internal":true,)"
            R"("Attachable":false,"EnableIPv6":false,"Options":{},"Labels":{"a":"b"},)"
            R"("IPAM":{"Driver":"default","Config":[{"Subnet":"10.9.0.0/24",)"
            R"("Gateway":"10.9.0.1","IPRange":"10.9.0.128/25"}]}})");
}

TEST_F(EngineNetworks, AnInspectionTellsWhoIsInIt) {
  auto id = FakeDaemon::id("a");
  daemon_.expect("GET", "/networks/inner")
      .reply(200,
             R"({"Id":"n","Name":"inner","Driver":"bridge","Scope":"local","Labels":{"a":"b"},)"
             R"("IPAM":{"Config":null},"Containers":{")" +
                 id +
                 R"(":{"Name":"web","IPv4Address":"10.9.0.2/24","IPv6Address":""},)"
                 R"("odd":7}})");
  auto network = value_or_throw(run(inspect_network(*client_, "inner")));
  ASSERT_EQ(network.members.size(), 1U);
  EXPECT_EQ(network.members[0].container, id);
  EXPECT_EQ(network.members[0].name, "web");
  EXPECT_EQ(network.members[0].ipv4, "10.9.0.2/24");
  EXPECT_THAT(network.labels, ElementsAre(Pair("a", "b")));
}

TEST_F(EngineNetworks, AContainerIsConnectedWithItsNamesAndAddresses) {
  daemon_.expect("POST", "/networks/inner/connect").reply(200, "");
  NetworkConnection connection{.container = "web", .aliases = {"www"}, .ipv4 = "10.9.0.7"};
  EXPECT_TRUE(run(connect_network(*client_, "inner", std::move(connection))));
  EXPECT_EQ(daemon_.last_body(), R"({"Container":"web","EndpointConfig":{"Aliases":["www"],)"
                                 R"("IPAMConfig":{"IPv4Address":"10.9.0.7"}}})");
}

TEST_F(EngineNetworks, AContainerIsDisconnected) {
  daemon_.expect("POST", "/networks/inner/disconnect").reply(200, "");
  EXPECT_TRUE(run(disconnect_network(*client_, "inner", "web", Disconnect::force)));
  EXPECT_EQ(daemon_.last_body(), R"({"Container":"web","Force":true})");
}

TEST_F(EngineNetworks, NothingIsSentForNamesThatAreNone) {
  EXPECT_EQ(run(remove_network(*client_, "a/b")).error().code, "invalid_name");
  EXPECT_EQ(run(connect_network(*client_, "inner", {.container = "../x"})).error().code,
            "invalid_name");
  EXPECT_EQ(daemon_.server().connections(), 0U);
}

TEST_F(EngineNetworks, TheEnginesOwnAreNotRemoved) {
  daemon_.expect("DELETE", "/networks/bridge")
      .reply(403, R"({"message":"bridge is a pre-defined network and cannot be removed"})");
  auto removed = run(remove_network(*client_, "bridge"));
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::denied);
}

}  // namespace
}  // namespace gantry::engine
