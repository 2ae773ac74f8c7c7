#include "sandbox/outbound.hpp"

#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"
#include "sandbox/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using engine::FakeDaemon;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// An engine whose volume of gantry-init is filled; what it says of networks is a test's.
class OutboundTest : public testing::Test {
 protected:
  OutboundTest() {
    daemon_.expect("POST", "/volumes/create").reply(201, R"({"Name":"gantry-init"})").always();
    auto filler = FakeDaemon::id("f");
    daemon_.expect("POST", "/containers/create?name=gantry-init-fill-*")
        .reply(201, fmt::format(R"({{"Id":"{}","Warnings":[]}})", filler))
        .always();
    daemon_.expect("GET", "/containers/" + filler + "/archive")
        .reply(200, init_volume_archive())
        .always();
    daemon_.expect("DELETE", "/containers/" + filler).reply(204).always();
  }
  void TearDown() override {
    loop_.run(removal_.close(Milliseconds{1'000}));
    EXPECT_THAT(daemon_.server().unexpected(), IsEmpty());
  }

  static std::string network(std::string_view icc) {
    return fmt::format(
        R"([{{"Id":"{}","Name":"gantry-outbound","Driver":"bridge","Options":{{)"
        R"("com.docker.network.bridge.enable_icc":"{}",)"
        R"("com.docker.network.bridge.enable_ip_masquerade":"true"}},)"
        R"("IPAM":{{"Config":[{{"Subnet":"172.18.0.0/16","Gateway":"172.18.0.1"}}]}}}}])",
        FakeDaemon::id("b"), icc);
  }
  Result<> prove() {
    return loop_.run(outbound_.prove({.name = "a", .id = "sha256:" + FakeDaemon::id("1")}, {},
                                     [](std::string) {}));
  }
  std::size_t asked_for(std::string_view words) const {
    auto requests = daemon_.requests();
    std::erase_if(requests, [&](const std::string& one) { return !one.contains(words); });
    return requests.size();
  }

  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::unique_ptr<engine::Client> engine_ = daemon_.client(loop_.executor());
  Removal removal_{loop_.executor(), *engine_};
  InitVolume volume_{loop_.executor(), *engine_, "server1"};
  Outbound outbound_{loop_.executor(), *engine_, removal_, volume_, {.owner = "server1"}};
};

TEST_F(OutboundTest, IsRefusedOnAnEngineThatDoesNotKnowItsHost) {
  daemon_.expect("GET", "/networks").reply(200, network("false"));
  daemon_.expect("GET", "/info").reply(200, R"({"SecurityOptions":["name=rootless"]})");
  auto proven = prove();
  ASSERT_FALSE(proven);
  EXPECT_EQ(proven.error().code, "network_not_available");
  EXPECT_THAT(proven.error().message, HasSubstr("rootless"));
}

TEST_F(OutboundTest, IsRefusedOnABridgeThatLetsContainersTalk) {
  daemon_.expect("GET", "/networks").reply(200, network("true"));
  EXPECT_THAT(prove().error().message, HasSubstr("not as Gantry makes it"));
}

TEST_F(OutboundTest, RemembersARefusalForAWhile) {
  daemon_.expect("GET", "/networks").reply(200, network("true"));
  EXPECT_TRUE(outbound_.remembered({}));
  EXPECT_FALSE(prove());
  EXPECT_FALSE(prove());
  EXPECT_EQ(asked_for("/networks"), 1U);
  EXPECT_EQ(outbound_.remembered({}).error().code, "network_not_available");
}

TEST_F(OutboundTest, IsNotRefusedForTheEnginesAbsence) {
  daemon_.expect("GET", "/networks").reply(500, R"({"message":"busy"})");
  EXPECT_EQ(prove().error().code, "engine_failed");
  EXPECT_TRUE(outbound_.remembered({}));
}

}  // namespace
}  // namespace gantry::sandbox
