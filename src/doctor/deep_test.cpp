// Where registries are, and what asking one tells; on the loopback interface.
#include "doctor/deep.hpp"

#include "net/http_server_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::doctor {
namespace {

using Role = RegistryFacts::Role;
using testing::StartsWith;

async::task<void> serve(net::http::Exchange& exchange) {
  bool registry = exchange.request().target == "/v2/";
  co_await exchange.respond({.status = registry ? 401U : 404U}, "");
}
async::task<void> serve_pages(net::http::Exchange& exchange) {
  co_await exchange.respond({.status = 404}, "nothing here");
}

RegistryFacts look(net::http::TestServer& server, Role role, bool in_clear = false) {
  RegistryPlace place{
      .role = role, .host = "127.0.0.1", .port = server.port(), .in_clear = in_clear};
  return server.run(look_at_registry(server.loop().executor(), place));
}

TEST(RegistriesOf, AreDockerHubAndWhatTheEngineWasTold) {
  EngineFacts engine;
  engine.registry_mirrors = {"https://mirror.lan/", "http://[::1]:5000", "ftp://no.lan",
                             "https://mirror.lan:x"};
  engine.insecure_registries = {"old.lan:5000", "older.lan", ":80"};
  auto places = registries_of(engine);
  ASSERT_EQ(places.size(), 5U);
  EXPECT_EQ(places[0].host, "registry-1.docker.io");
  EXPECT_EQ(places[1].host, "mirror.lan");
  EXPECT_EQ(places[1].port, 443);
  EXPECT_EQ(places[2].host, "::1");
  EXPECT_EQ(places[2].port, 5000);
  EXPECT_TRUE(places[2].in_clear);
  EXPECT_EQ(places[3].host, "old.lan");
  EXPECT_EQ(places[3].role, Role::insecure);
  EXPECT_EQ(places[4].port, 443);
}

TEST(RegistriesOf, AreNotEverMore) {
  EngineFacts engine;
  for (int i = 0; i < 100; ++i) engine.insecure_registries.push_back(std::to_string(i) + ".lan");
  EXPECT_EQ(registries_of(engine).size(), 16U);
}

TEST(ARegistry, ServesWhenItAsksWhoIsThere) {
  net::http::TestServer server{serve};
  auto facts = look(server, Role::mirror, true);
  EXPECT_FALSE(facts.error) << facts.error->message;
  EXPECT_EQ(facts.status, 401U);
  EXPECT_TRUE(facts.in_clear);
}

TEST(ARegistry, IsAskedWithoutTlsOnlyWhereTheEngineWouldDoSo) {
  net::http::TestServer server{serve};
  auto insecure = look(server, Role::insecure);
  EXPECT_FALSE(insecure.error) << insecure.error->message;
  EXPECT_TRUE(insecure.in_clear);
  auto usual = look(server, Role::usual);
  ASSERT_TRUE(usual.error);
  EXPECT_THAT(usual.error->code, StartsWith("tls_"));
}

TEST(ARegistry, IsNoOtherServer) {
  net::http::TestServer server{serve_pages};
  auto facts = look(server, Role::mirror, true);
  ASSERT_TRUE(facts.error);
  EXPECT_EQ(facts.error->code, "no_registry");
  EXPECT_EQ(facts.status, 404U);
}

TEST(ARegistry, IsToldAsMissingWhereNobodyListens) {
  async::TestLoop loop;
  auto facts = loop.run(look_at_registry(loop.executor(), {.host = "127.0.0.1", .port = 1}));
  ASSERT_TRUE(facts.error);
  EXPECT_EQ(facts.status, 0U);
}

TEST(AName, ThatIsAnAddressNeedsNobody) {
  auto facts = async::run_test(look_at_name("127.0.0.1"));
  EXPECT_FALSE(facts.error);
  EXPECT_THAT(facts.addresses, testing::ElementsAre("127.0.0.1"));
}

}  // namespace
}  // namespace gantry::doctor
