// The way to a host over OpenSSH, against real sshds on loopback.
#include "async/deadline.hpp"
#include "integration/ssh_ways.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace gantry {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST_F(SshWays, AKeyLogsInAndTheSocketIsForwarded) {
  SshServer server{loop_};
  auto settings = with_key("mine");
  welcome(server, "mine");
  auto& tunnel = open(server.endpoint(socket()), std::move(settings));
  auto listed = list();
  ASSERT_TRUE(listed) << listed.error().sentence();
  EXPECT_EQ(tunnel.via(), net::SshVia::forward);
}

TEST_F(SshWays, AKeyWithAPassphraseLogsIn) {
  SshServer server{loop_};
  auto settings = with_key("locked", "open sesame, '$HOME' %h");
  welcome(server, "locked");
  open(server.endpoint(socket()), std::move(settings));
  auto listed = list();
  EXPECT_TRUE(listed) << listed.error().sentence();
}

TEST_F(SshWays, AWrongPassphraseIsToldApart) {
  SshServer server{loop_};
  auto settings = with_key("locked", "right");
  welcome(server, "locked");
  settings.passphrase = Secret{"wrong"};
  open(server.endpoint(socket()), std::move(settings));
  EXPECT_EQ(refusal().code, "ssh_identity_unusable");
}

TEST_F(SshWays, AKeyThatIsNotAcceptedIsARefusal) {
  SshServer server{loop_};
  auto settings = with_key("strange");
  trust(server);
  open(server.endpoint(socket()), std::move(settings));
  auto refused = refusal();
  EXPECT_EQ(refused.code, "ssh_authentication_failed");
  EXPECT_EQ(refused.kind, ErrorKind::unauthenticated);
}

TEST_F(SshWays, ACertificateLogsIn) {
  SshServer server{loop_};
  auto settings = with_key("certified");
  keys_->make("authority");
  server.accept_authority(keys_->public_key("authority"));
  auto login = server.login();
  settings.certificate = keys_->certify("certified", "authority", login.substr(0, login.find('@')));
  trust(server);
  open(server.endpoint(socket()), std::move(settings));
  auto listed = list();
  EXPECT_TRUE(listed) << listed.error().sentence();
}

TEST_F(SshWays, WithoutItsCertificateTheSameKeyIsRefused) {
  SshServer server{loop_};
  auto settings = with_key("certified");
  keys_->make("authority");
  server.accept_authority(keys_->public_key("authority"));
  trust(server);
  open(server.endpoint(socket()), std::move(settings));
  EXPECT_EQ(refusal().code, "ssh_authentication_failed");
}

class SshPasswords : public SshWays {
 protected:
  void SetUp() override {
    SshWays::SetUp();
    // Its sshd believes in a file of passwords of its own, by a mount namespace.
    if (usable() && ::geteuid() != 0) GTEST_SKIP() << "only root can give an sshd a password";
  }
};

TEST_F(SshPasswords, LogIn) {
  SshServer server{loop_, {.password = "correct horse \"battery\""}};
  trust(server);
  net::SshSettings settings;
  settings.password = Secret{"correct horse \"battery\""};
  auto& tunnel = open(server.endpoint(socket()), std::move(settings));
  auto listed = list();
  ASSERT_TRUE(listed) << listed.error().sentence();
  EXPECT_EQ(tunnel.via(), net::SshVia::forward);
}

TEST_F(SshPasswords, ThatAreWrongAreTriedOnce) {
  SshServer server{loop_, {.password = "right"}};
  trust(server);
  net::SshSettings settings;
  settings.password = Secret{"wrong"};
  open(server.endpoint(socket()), std::move(settings), {.longest_retry = Milliseconds{10}});
  EXPECT_EQ(refusal().code, "ssh_authentication_failed");
  run(async::pause(Milliseconds{50}));
  EXPECT_EQ(refusal().code, "ssh_authentication_failed");
  auto log = server.log();
  auto first = log.find("Failed password");
  ASSERT_NE(first, log.npos);
  EXPECT_EQ(log.find("Failed password", first + 1), log.npos);
}

TEST_F(SshWays, AJumpHostIsPassedWithTheSameEncryptedKey) {
  SshServer jump{loop_};
  SshServer server{loop_};
  auto settings = with_key("mine", "secret");
  welcome(jump, "mine");
  welcome(server, "mine");
  settings.jumps = value_or_throw(net::SshSettings::parse_jumps({jump.login()}));
  open(server.endpoint(socket()), std::move(settings));
  auto listed = list();
  ASSERT_TRUE(listed) << listed.error().sentence();
  EXPECT_THAT(jump.log(), HasSubstr("Accepted publickey"));
}

TEST_F(SshWays, TheKeyOfAJumpHostMustBeTrustedToo) {
  SshServer jump{loop_};
  SshServer server{loop_};
  auto settings = with_key("mine");
  jump.accept(keys_->public_key("mine"));
  welcome(server, "mine");
  settings.jumps = value_or_throw(net::SshSettings::parse_jumps({jump.login()}));
  auto& tunnel = open(server.endpoint(socket()), std::move(settings));
  EXPECT_EQ(refusal().code, "ssh_host_key_unknown");
  ASSERT_TRUE(tunnel.offered());
  EXPECT_EQ(tunnel.offered()->name, jump.name());
  auto trusted = run(tunnel.trust(jump.fingerprint()));
  ASSERT_TRUE(trusted) << trusted.error().sentence();
  EXPECT_TRUE(list());
}

TEST_F(SshWays, AHostBehindAJumpHostIsTrustedThroughIt) {
  SshServer jump{loop_};
  SshServer server{loop_};
  auto settings = with_key("mine");
  welcome(jump, "mine");
  server.accept(keys_->public_key("mine"));
  settings.jumps = value_or_throw(net::SshSettings::parse_jumps({jump.login()}));
  auto& tunnel = open(server.endpoint(socket()), std::move(settings));
  EXPECT_EQ(refusal().code, "ssh_host_key_unknown");
  auto trusted = run(tunnel.trust(server.fingerprint()));
  ASSERT_TRUE(trusted) << trusted.error().sentence();
  EXPECT_EQ(trusted->name, server.name());
  auto listed = list();
  EXPECT_TRUE(listed) << listed.error().sentence();
}

TEST_F(SshWays, WhereNothingIsForwardedDialStdioIsUsed) {
  SshServer server{loop_, {.lines = {"AllowStreamLocalForwarding no"}}};
  auto settings = with_key("mine");
  welcome(server, "mine");
  auto& tunnel = open(server.endpoint(socket()), std::move(settings));
  auto listed = list();
  ASSERT_TRUE(listed) << listed.error().sentence();
  EXPECT_EQ(tunnel.via(), net::SshVia::dial_stdio);
}

TEST_F(SshWays, WithoutForwardingAndWithoutDockerThereIsNoWay) {
  SshServer server{
      loop_,
      {.lines = {"AllowStreamLocalForwarding no"}, .variables = {"PATH=" + places_.runtime}}};
  auto settings = with_key("mine");
  welcome(server, "mine");
  fs::create_symlink("/bin/sh", places_.runtime + "/sh");
  open(server.endpoint(socket()), std::move(settings));
  EXPECT_EQ(refusal().code, "ssh_remote_docker_missing");
  fs::remove(places_.runtime + "/sh");
}

TEST_F(SshWays, AMissingSocketIsToldApart) {
  SshServer server{loop_};
  auto settings = with_key("mine");
  welcome(server, "mine");
  open(server.endpoint("/run/no-such-docker.sock"), std::move(settings));
  EXPECT_EQ(refusal().code, "ssh_remote_socket_missing");
}

TEST_F(SshWays, WhereNeitherForwardingNorProgramsAreAllowedItIsSaid) {
  SshServer server{loop_, {.lines = {"AllowStreamLocalForwarding no", "ForceCommand false"}}};
  auto settings = with_key("mine");
  welcome(server, "mine");
  open(server.endpoint(socket()), std::move(settings));
  EXPECT_EQ(refusal().code, "ssh_forwarding_refused");
}

TEST_F(SshWays, AForcedDialStdioIsUsedAsItIs) {
  SshServer server{
      loop_,
      {.lines = {"AllowStreamLocalForwarding no",
                 "ForceCommand docker --host unix://" + socket() + " system dial-stdio"}}};
  auto settings = with_key("mine");
  welcome(server, "mine");
  auto& tunnel = open(server.endpoint(socket()), std::move(settings));
  auto listed = list();
  ASSERT_TRUE(listed) << listed.error().sentence();
  EXPECT_EQ(tunnel.via(), net::SshVia::dial_stdio);
}

TEST_F(SshWays, AClosedPortAndAnUnknownNameAreToldApart) {
  SshServer server{loop_};
  auto endpoint = server.endpoint(socket());
  server.stop();
  open(endpoint, with_key("mine"));
  EXPECT_EQ(refusal().code, "ssh_refused");
  run(tunnel_->close());
  auto nowhere = net::Endpoint::parse("ssh://root@no-such-host.invalid");
  open(value_or_throw(std::move(nowhere)), net::SshSettings{});
  EXPECT_EQ(refusal().code, "ssh_name_unknown");
}

}  // namespace
}  // namespace gantry
