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

  /// The engine's own bridge has another id each time the engine starts.
  static std::string network(std::string_view icc, std::string_view start = "d") {
    return fmt::format(
        R"([{{"Id":"{}","Name":"gantry-outbound","Driver":"bridge","Options":{{)"
        R"("com.docker.network.bridge.enable_icc":"{}",)"
        R"("com.docker.network.bridge.enable_ip_masquerade":"true"}},)"
        R"("IPAM":{{"Config":[{{"Subnet":"172.18.0.0/16","Gateway":"172.18.0.1"}}]}}}},)"
        R"({{"Id":"{}","Name":"bridge","Driver":"bridge"}}])",
        FakeDaemon::id("b"), icc, FakeDaemon::id(start));
  }
  /// The engine makes every container as it is asked for, and tells nothing special of itself.
  void engine_is_honest() {
    daemon_.expect("GET", "/info").reply(200, "{}").always();
    daemon_.expect("POST", "/containers/create?name=gantry-sandbox-*")
        .reply_with([this](const net::ScriptedServer::Seen& request) {
          asked_ = value_or_throw(json::parse(request.body, json::Keys::tolerant)).as_object();
          return Reply{.status = 201, .body = fmt::format(R"({{"Id":"{}"}})", FakeDaemon::id("5"))};
        })
        .always();
    daemon_.expect("GET", box_ + "/json")
        .reply_with([this](const net::ScriptedServer::Seen&) {
          return Reply{.status = 200, .body = json::serialize(inspected())};
        })
        .always();
    daemon_.expect("POST", box_ + "/start").reply(204).always();
    daemon_.expect("POST", box_ + "/kill").reply(204).always();
    daemon_.expect("POST", box_ + "/wait").reply(200, R"({"StatusCode":0})").always();
    daemon_.expect("DELETE", box_).reply(204).always();
  }
  json::Object inspected() const {
    auto config = asked_;
    auto host = asked_.at("HostConfig").as_object();
    config.erase("HostConfig");
    json::Array mounts{json::Object{{"Type", "volume"},
                                    {"Name", host["Mounts"].as_array()[0].as_object()["Source"]},
                                    {"Destination", "/.gantry"},
                                    {"RW", false}}};
    return {
        {"Id", FakeDaemon::id("5")}, {"Config", config}, {"HostConfig", host}, {"Mounts", mounts}};
  }
  /// What the next container of ours says.
  void next_says(const std::string& words) {
    daemon_.expect("POST", box_ + "/attach").upgrade(101, {engine_frame(1, words)});
  }
  /// A canary to which everything is closed but `open`.
  static std::string canary(std::string_view open = {}) {
    engine::Network bridge;
    bridge.subnets = {{"172.18.0.0/16", "172.18.0.1"}};
    std::string words;
    for (const auto& target :
         canary_targets({.ipv4 = {"203.0.113.7/32"}, .ipv6 = {}}, bridge, "1.1.1.1")) {
      bool reached = target.starts_with("route/") || target == open;
      words += fmt::format("{} {}\n", target, reached ? 0 : 113);
    }
    return words + "end\n";
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

  using Reply = net::ScriptedServer::Reply;

  static constexpr const char* survey_ = "127.0.0.1/32\n203.0.113.7/32\nend\n";
  const std::string box_ = "/containers/" + FakeDaemon::id("5");
  async::TestLoop loop_;
  FakeDaemon daemon_;
  json::Object asked_;
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

TEST_F(OutboundTest, IsProvenOnceByACanaryThatFindsEverythingClosed) {
  engine_is_honest();
  daemon_.expect("GET", "/networks").reply(200, network("false")).always();
  next_says(survey_);
  next_says("ready\n");
  next_says(canary());
  EXPECT_TRUE(prove());
  EXPECT_TRUE(prove());
  EXPECT_EQ(asked_for("/attach"), 3U);
}

TEST_F(OutboundTest, IsProvenAnewWhenTheEngineWasRestarted) {
  engine_is_honest();
  daemon_.expect("GET", "/networks").reply(200, network("false", "d"));
  daemon_.expect("GET", "/networks").reply(200, network("false", "e"));
  next_says(survey_);
  for (int proofs = 0; proofs < 2; ++proofs) {
    next_says("ready\n");
    next_says(canary());
  }
  EXPECT_TRUE(prove());
  EXPECT_TRUE(prove());
  EXPECT_EQ(asked_for("/attach"), 5U);
}

TEST_F(OutboundTest, IsRefusedWhenTheCanaryReachesSomething) {
  engine_is_honest();
  daemon_.expect("GET", "/networks").reply(200, network("false"));
  next_says(survey_);
  next_says("ready\n");
  next_says(canary("tcp/172.18.0.1/22"));
  EXPECT_THAT(prove().error().message, HasSubstr("'tcp/172.18.0.1/22' can be reached"));
}

TEST_F(OutboundTest, KeepsItsProofWhenTheEngineIsBusy) {
  engine_is_honest();
  daemon_.expect("GET", "/networks").reply(200, network("false"));
  daemon_.expect("GET", "/networks").reply(500, R"({"message":"busy"})");
  daemon_.expect("GET", "/networks").reply(200, network("false"));
  next_says(survey_);
  next_says("ready\n");
  next_says(canary());
  EXPECT_TRUE(prove());
  EXPECT_EQ(prove().error().code, "engine_failed");
  EXPECT_TRUE(outbound_.remembered({}));
  EXPECT_TRUE(prove());
  EXPECT_EQ(asked_for("/attach"), 3U);
}

// An image may be such that nothing can be made of it, whatever runs in it.
TEST_F(OutboundTest, BlamesTheNetworkForNoImage) {
  daemon_.expect("GET", "/networks").reply(200, network("false"));
  daemon_.expect("GET", "/info").reply(200, "{}");
  daemon_.expect("POST", "/containers/create?name=gantry-sandbox-*")
      .reply(400, R"({"message":"Duplicate mount point: /.gantry"})");
  auto refused = prove();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().code, "network_not_available");
  EXPECT_THAT(refused.error().message, HasSubstr("Duplicate mount point"));
  EXPECT_TRUE(outbound_.remembered({}));
}

TEST_F(OutboundTest, BlamesTheNetworkForNoHolderThatDied) {
  engine_is_honest();
  daemon_.expect("GET", "/networks").reply(200, network("false"));
  next_says(survey_);
  next_says("exec format error\n");
  auto refused = prove();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "sandbox_not_ready");
  EXPECT_THAT(refused.error().message, HasSubstr("exec format error"));
  EXPECT_TRUE(outbound_.remembered({}));
}

TEST_F(OutboundTest, IsRefusedInTheHoldersOwnWords) {
  engine_is_honest();
  daemon_.expect("GET", "/networks").reply(200, network("false"));
  next_says(survey_);
  next_says("cannot set up a packet filter with nf_tables: Protocol not supported\n");
  EXPECT_THAT(prove().error().message, HasSubstr("nf_tables: Protocol not supported"));
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
