#include "engine/client.hpp"

#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "engine/containers.hpp"
#include "engine/fake_daemon_fake.hpp"
#include "engine/refusal.hpp"
#include "engine/system.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr const char* version_of_the_future =
    R"({"Version":"40.0","ApiVersion":"1.99","MinAPIVersion":"1.45"})";

class EngineClient : public testing::Test {
 protected:
  /// What became of a ping.
  Result<ApiVersion> ping(FakeDaemon& daemon) {
    auto client = daemon.client(loop_.executor());
    return loop_.run(async::attempt(client->negotiate()));
  }
  Result<ApiVersion> ping(net::ScriptedServer& server) {
    auto endpoint = value_or_throw(net::Endpoint::parse("unix:///run/fake.sock"));
    Client client{loop_.executor(), server.connect(), endpoint};
    return loop_.run(async::attempt(client.negotiate()));
  }
  Error unreachable(std::string code) {
    FakeDaemon daemon;
    daemon.server().refuse_connections({ErrorKind::unavailable, std::move(code), "no way", ""});
    return ping(daemon).error();
  }
  /// How a refusal of `POST /containers/x/start` arrives.
  Error refused(unsigned status, std::string body) {
    FakeDaemon daemon;
    daemon.expect("POST", "/containers/x/start").reply(status, std::move(body));
    auto client = daemon.client(loop_.executor());
    return loop_.run(start_container(*client, "x")).error();
  }

  async::TestLoop loop_;
};

TEST_F(EngineClient, NothingListensIsNotTheSameAsNoSocket) {
  EXPECT_EQ(unreachable("not_listening").code, "engine_not_running");
  EXPECT_EQ(unreachable("socket_missing").code, "engine_socket_missing");
  EXPECT_EQ(unreachable("not_a_socket").code, "engine_not_an_engine");
}

TEST_F(EngineClient, TellsTheCauseAndTheRemedyOfWhoDials) {
  FakeDaemon daemon;
  daemon.server().refuse_connections(
      {ErrorKind::unavailable, "socket_permission",
       "cannot connect to 'unix:///run/fake.sock': user 'ann' is not in group 'docker' (998)",
       "add the user"});
  EXPECT_EQ(ping(daemon.server()).error(),
            (Error{ErrorKind::unavailable, "engine_permission_denied",
                   "cannot reach the engine on 'unix:///run/fake.sock': user 'ann' is not in "
                   "group 'docker' (998)",
                   "add the user"}));
}

TEST_F(EngineClient, AnyOtherFailureToDialIsUnreachable) {
  EXPECT_EQ(unreachable("unreachable").code, "engine_unreachable");
}

TEST_F(EngineClient, AWayOverSshOrTlsThatBrokeKeepsItsOwnWord) {
  EXPECT_EQ(unreachable("ssh_host_key_changed").code, "ssh_host_key_changed");
  EXPECT_EQ(unreachable("tls_expired").code, "tls_expired");
}

TEST_F(EngineClient, OnlyWhatKeepsFromAskingIsOfTheWay) {
  EXPECT_TRUE(is_of_the_way(unreachable("ssh_authentication_failed")));
  EXPECT_TRUE(is_of_the_way(unreachable("not_listening")));
  EXPECT_FALSE(is_of_the_way(refused(500, R"({"message": "it broke"})")));
  EXPECT_FALSE(is_of_the_way({ErrorKind::unavailable, "tls_cut_off", "", ""}));
}

TEST_F(EngineClient, AWebServerIsNotAnEngine) {
  net::ScriptedServer server;
  server.expect("GET", "/_ping").reply(200, "<html>", {{"Server", "nginx"}});
  auto version = ping(server);
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code, "engine_not_an_engine");
}

TEST_F(EngineClient, WhatSpeaksNoHttpIsNotAnEngine) {
  net::ScriptedServer server;
  server.expect("GET", "/_ping").raw({"SSH-2.0-OpenSSH_9.2\r\n\r\n"});
  EXPECT_EQ(ping(server).error().code, "engine_not_an_engine");
}

TEST_F(EngineClient, AClosedConnectionIsAnEngineThatBroke) {
  net::ScriptedServer server;
  server.expect("GET", "/_ping").raw({}).then_close();
  EXPECT_EQ(ping(server).error().code, "engine_unreachable");
}

TEST_F(EngineClient, SpeaksTheOlderOfTheTwoVersions) {
  FakeDaemon older{{1, 43}};
  EXPECT_EQ(ping(older), (ApiVersion{1, 43}));
  FakeDaemon newer{{1, 99}};
  newer.server().expect("GET", "/version").reply(200, version_of_the_future);
  EXPECT_EQ(ping(newer), newest_api);
}

TEST_F(EngineClient, RefusesAnEngineThatIsTooOld) {
  FakeDaemon daemon{{1, 40}};
  auto error = ping(daemon).error();
  EXPECT_EQ(error.code, "engine_too_old");
  EXPECT_THAT(error.message, HasSubstr("API 1.40 and 1.41 is the oldest"));
  FakeDaemon zero{{0, 0}};
  EXPECT_EQ(ping(zero).error().code, "engine_too_old");
}

TEST_F(EngineClient, RefusesAnEngineThatSpeaksNothingWeKnow) {
  FakeDaemon daemon{{99, 9}};
  daemon.server().expect("GET", "/version").reply(200, R"({"MinAPIVersion":"1.60"})");
  EXPECT_EQ(ping(daemon).error().code, "engine_too_new");
}

TEST_F(EngineClient, AVersionThatIsNoVersionIsNotAnEngines) {
  net::ScriptedServer server;
  server.expect("GET", "/_ping").reply(200, "OK", {{"Api-Version", "latest"}});
  EXPECT_EQ(ping(server).error().code, "engine_not_an_engine");
}

TEST_F(EngineClient, NegotiatesOnceAndPutsTheVersionIntoThePath) {
  FakeDaemon daemon{{1, 43}};
  daemon.expect("POST", "/containers/x/start").reply(204).always();
  auto client = daemon.client(loop_.executor());
  EXPECT_TRUE(loop_.run(start_container(*client, "x")));
  EXPECT_TRUE(loop_.run(start_container(*client, "x")));
  ASSERT_EQ(daemon.server().seen().size(), 3U);
  EXPECT_EQ(daemon.server().seen()[0].target, "/_ping");
  EXPECT_EQ(daemon.server().seen()[2].target, "/v1.43/containers/x/start");
}

TEST_F(EngineClient, AsksAgainAfterTheEngineBrokeOff) {
  FakeDaemon daemon;
  daemon.expect("POST", "/containers/x/start").raw({}).then_close();
  daemon.expect("POST", "/containers/x/start").reply(204);
  auto client = daemon.client(loop_.executor());
  auto broken = loop_.run(async::attempt(start_container(*client, "x")));
  EXPECT_EQ(broken.error().code, "engine_unreachable");
  EXPECT_THAT(broken.error().message, HasSubstr("cannot start container 'x' on 'unix://"));
  EXPECT_FALSE(client->api_version());
  EXPECT_TRUE(loop_.run(start_container(*client, "x")));
}

TEST_F(EngineClient, NegotiatesAnewWhenTheEngineRefusesTheVersion) {
  net::ScriptedServer server;
  server.expect("GET", "/_ping").reply(200, "OK", {{"Api-Version", "1.43"}});
  server.expect("POST", "/v1.43/containers/x/start")
      .reply(400, R"({"message":"client version 1.43 is too old. Minimum supported API version)"
                  R"( is 1.44, please upgrade your client to a newer version"})");
  server.expect("GET", "/_ping").reply(200, "OK", {{"Api-Version", "1.50"}});
  server.expect("POST", "/v1.50/containers/x/start").reply(204);
  auto endpoint = value_or_throw(net::Endpoint::parse("unix:///run/fake.sock"));
  Client client{loop_.executor(), server.connect(), endpoint};
  EXPECT_TRUE(loop_.run(start_container(client, "x")));
  EXPECT_THAT(server.unexpected(), IsEmpty());
}

TEST_F(EngineClient, TheStatusDecidesTheKind) {
  EXPECT_EQ(refused(400, R"({"message":"bad parameter"})").kind, ErrorKind::invalid);
  EXPECT_EQ(refused(403, R"({"message":"authorization denied by plugin"})").kind,
            ErrorKind::denied);
  EXPECT_EQ(refused(404, R"({"message":"No such container: x"})").kind, ErrorKind::not_found);
  EXPECT_EQ(refused(409, R"({"message":"container x is paused"})").kind, ErrorKind::conflict);
  EXPECT_EQ(refused(500, R"({"message":"oh"})").kind, ErrorKind::unavailable);
  EXPECT_EQ(refused(500, R"({"message":"Container x is not paused"})").kind, ErrorKind::conflict);
  EXPECT_EQ(refused(503, "").kind, ErrorKind::unavailable);
}

TEST_F(EngineClient, TheDaemonsOwnWordsAreKeptOnOneShortLine) {
  auto error = refused(500, R"({"message":"first\nsecond \u001b[31mred"})");
  EXPECT_THAT(error.message, StartsWith("cannot start container 'x': first"));
  EXPECT_THAT(error.message, testing::Not(HasSubstr("\n")));
  EXPECT_THAT(error.message, testing::Not(HasSubstr("\x1b")));
  EXPECT_LT(refused(500, std::string(10'000, 'x')).message.size(), 600U);
}

TEST_F(EngineClient, AFullDiskIsToldWhateverTheStatus) {
  auto error = refused(500, R"({"message":"write /x: no space left on device"})");
  EXPECT_EQ(error.code, "engine_disk_full");
  EXPECT_EQ(error.kind, ErrorKind::exhausted);
  EXPECT_THAT(error.remedy, HasSubstr("docker system prune"));
}

TEST_F(EngineClient, ARedirectIsAnError) {
  FakeDaemon daemon;
  daemon.expect("GET", "/containers/x/json")
      .reply(302, "", {{"Location", "http://169.254.169.254/"}});
  auto client = daemon.client(loop_.executor());
  auto details = loop_.run(inspect_container(*client, "x"));
  ASSERT_FALSE(details);
  EXPECT_EQ(details.error().code, "engine_redirected");
  EXPECT_THAT(daemon.requests(), ElementsAre("GET /v1.41/containers/x/json"));
}

TEST_F(EngineClient, NothingIsSentForANameThatIsNone) {
  FakeDaemon daemon;
  auto client = daemon.client(loop_.executor());
  for (const char* name : {"", "..", "../images/json", "a/b", "-x", "a b", "a%2fb", "ä", "x\n"}) {
    auto details = loop_.run(inspect_container(*client, name));
    ASSERT_FALSE(details) << name;
    EXPECT_EQ(details.error().code, "invalid_name") << name;
  }
  EXPECT_EQ(daemon.server().connections(), 0U);
}

TEST_F(EngineClient, AnAnswerOverTheCapEndsTheConnection) {
  FakeDaemon daemon;
  std::vector<std::string> endless(100, std::string(64U << 10U, ' '));
  daemon.expect("GET", "/containers/x/json").stream(200, endless);
  auto client = daemon.client(loop_.executor());
  auto details = loop_.run(async::attempt(inspect_container(*client, "x")));
  ASSERT_FALSE(details);
  EXPECT_EQ(details.error().code, "engine_answer_too_large");
}

TEST_F(EngineClient, ADepthBombIsRefused) {
  FakeDaemon daemon;
  daemon.expect("GET", "/containers/x/json").reply(200, std::string(100'000, '['));
  auto client = daemon.client(loop_.executor());
  auto details = loop_.run(inspect_container(*client, "x"));
  EXPECT_EQ(details.error().code, "engine_answer_malformed");
}

TEST_F(EngineClient, AnAnswerOfTheWrongTypeIsMalformed) {
  FakeDaemon daemon;
  daemon.expect("GET", "/info").reply(200, R"({"Name":7})");
  auto client = daemon.client(loop_.executor());
  auto facts = loop_.run(info(*client));
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, "engine_answer_malformed");
  EXPECT_THAT(facts.error().message, HasSubstr("'Name' must be a text"));
}

TEST_F(EngineClient, TellsHowItReachesRegistriesWithoutThePasswordOfAProxy) {
  FakeDaemon daemon;
  daemon.expect("GET", "/info").reply(200, R"({"HttpsProxy":"http://ann:secret@proxy.lan:3128",
      "RegistryConfig":{"Mirrors":["https://mirror.lan/"],"InsecureRegistryCIDRs":["127.0.0.0/8"],
      "IndexConfigs":{"docker.io":{"Secure":true},"old.lan:5000":{"Secure":false},"odd":7}}})");
  auto client = daemon.client(loop_.executor());
  auto facts = value_or_throw(loop_.run(info(*client)));
  EXPECT_THAT(facts.https_proxy, Not(HasSubstr("secret")));
  EXPECT_THAT(facts.https_proxy, HasSubstr("proxy.lan:3128"));
  EXPECT_THAT(facts.registry_mirrors, ElementsAre("https://mirror.lan/"));
  EXPECT_THAT(facts.insecure_registries, ElementsAre("old.lan:5000"));
}

TEST_F(EngineClient, TakesAnEngineWithoutRegistriesAsItIs) {
  FakeDaemon daemon;
  daemon.expect("GET", "/info").reply(200, R"({"RegistryConfig":null})");
  auto client = daemon.client(loop_.executor());
  EXPECT_TRUE(loop_.run(info(*client))->registry_mirrors.empty());
}

TEST_F(EngineClient, NoAnswerInTimeIsATimeout) {
  FakeDaemon daemon;
  daemon.expect("GET", "/info").hang();
  auto client = daemon.client(loop_.executor());
  Request request;
  request.doing = {"read", "facts", ""};
  request.path = {"info"};
  request.patience = Milliseconds{50};
  auto answer = loop_.run(async::attempt(client->call(request)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::timed_out);
  EXPECT_EQ(answer.error().code, "engine_timed_out");
  EXPECT_THAT(answer.error().remedy, HasSubstr("restart"));
}

TEST_F(EngineClient, EverySegmentAndValueIsEncoded) {
  FakeDaemon daemon;
  daemon.server().expect("GET", "/v1.41/a%2Fb%3F/c%20d?q=%26%3D%2F").reply(200);
  auto client = daemon.client(loop_.executor());
  Request request;
  request.path = {"a/b?", "c d"};
  request.query = {{"q", "&=/"}};
  EXPECT_TRUE(loop_.run(client->call(request)));
  EXPECT_THAT(daemon.server().unexpected(), IsEmpty());
}

}  // namespace
}  // namespace gantry::engine
