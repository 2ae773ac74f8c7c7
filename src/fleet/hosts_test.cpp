#include "fleet/hosts.hpp"

#include "net/tls_certificates_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using testing::HasSubstr;

using Texts = std::map<std::string, std::string>;

Sealer sealer(char key = 'k') { return Sealer{Secret{std::string(Sealer::key_bytes, key)}}; }

HostWish wish(std::string endpoint) { return {.name = "edge-1", .endpoint = std::move(endpoint)}; }

HostRecord record_for(const HostWish& wish) {
  auto record = value_or_throw(fulfilled({}, wish));
  record.config.id = HostId{"0123"};
  return record;
}

/// Why a wish for a new host is refused.
std::string refusal(const HostWish& wish) {
  auto record = fulfilled({}, wish);
  if (record) return "nothing is wrong";
  EXPECT_EQ(record.error().kind, ErrorKind::invalid);
  return record.error().message;
}

TEST(HostNames, AreShortPlainAndBeginWithALetterOrADigit) {
  EXPECT_TRUE(valid_host_name("a"));
  EXPECT_TRUE(valid_host_name("0-edge_1.example"));
  for (auto name : {"", "A", "-a", ".a", "a b", "a/b", "é"}) EXPECT_FALSE(valid_host_name(name));
  EXPECT_TRUE(valid_host_name(std::string(63, 'a')));
  EXPECT_FALSE(valid_host_name(std::string(64, 'a')));
}

TEST(HostWishes, ANewHostNeedsANameAndAnEndpoint) {
  EXPECT_THAT(refusal({.endpoint = "unix:///run/docker.sock"}), HasSubstr("'name' is required"));
  EXPECT_THAT(refusal({.name = "a"}), HasSubstr("'endpoint' is required"));
  EXPECT_EQ(record_for(wish("unix:///run/docker.sock")).config.name, "edge-1");
}

TEST(HostWishes, WhateverIsOutOfBoundsIsRefusedByItsField) {
  auto with = [](auto change) {
    auto one = wish("unix:///run/docker.sock");
    change(one);
    return refusal(one);
  };
  EXPECT_THAT(with([](HostWish& one) { one.name = "A"; }), HasSubstr("'name'"));
  EXPECT_THAT(with([](HostWish& one) { one.endpoint = "ftp://x"; }), HasSubstr("'endpoint'"));
  EXPECT_THAT(with([](HostWish& one) { one.note = std::string(3000, 'x'); }), HasSubstr("'note'"));
  EXPECT_THAT(with([](HostWish& one) { one.groups = {{"a", "B"}}; }), HasSubstr("'groups'"));
  EXPECT_THAT(with([](HostWish& one) { one.groups = std::vector<std::string>(33, "a"); }),
              HasSubstr("'groups'"));
  EXPECT_THAT(with([](HostWish& one) { one.labels = Texts{{"", "x"}}; }), HasSubstr("'labels'"));
  EXPECT_THAT(with([](HostWish& one) { one.labels = Texts{{"a", "x\ny"}}; }),
              HasSubstr("'labels'"));
  EXPECT_THAT(with([](HostWish& one) { one.tls.emplace(); }), HasSubstr("'tls'"));
  EXPECT_THAT(with([](HostWish& one) { one.ssh.emplace(); }), HasSubstr("'ssh'"));
}

TEST(HostWishes, GroupsComeInOrderAndOnce) {
  auto one = wish("unix:///run/docker.sock");
  one.groups = {{"b", "a", "b"}};
  EXPECT_THAT(record_for(one).config.groups, testing::ElementsAre("a", "b"));
}

TEST(HostWishes, ClearTextOverANetworkMustBeAskedForByName) {
  EXPECT_THAT(refusal(wish("tcp://10.0.0.7:2375")), HasSubstr("insecure_tcp"));
  auto asked = wish("tcp://10.0.0.7:2375");
  asked.clear_text = ClearText::allowed;
  EXPECT_EQ(record_for(asked).config.clear_text, ClearText::allowed);
  for (auto here : {"tcp://127.0.0.1:2375", "tcp://localhost:2375", "tcp://[::1]:2375"}) {
    EXPECT_TRUE(fulfilled({}, wish(here))) << here;
  }
  auto needless = wish("unix:///run/docker.sock");
  needless.clear_text = ClearText::allowed;
  EXPECT_THAT(refusal(needless), HasSubstr("'insecure_tcp'"));
}

TEST(HostWishes, CertificatesAreJudgedByTheirFields) {
  auto with = [](HostWish::Tls tls) {
    auto one = wish("tls://edge:2376");
    one.tls = std::move(tls);
    return refusal(one);
  };
  EXPECT_THAT(with({.authorities = "x"}), HasSubstr("'tls.ca'"));
  EXPECT_THAT(with({.certificate = "x"}), HasSubstr("'tls.key'"));
  EXPECT_THAT(with({.certificate = "x", .key = "y"}), HasSubstr("'tls.certificate'"));
  net::TestAuthority authority;
  auto identity = authority.issue();
  EXPECT_THAT(with({.certificate = identity.certificates, .key = "y"}), HasSubstr("'tls.key'"));
  EXPECT_EQ(with({.authorities = authority.certificate(),
                  .certificate = identity.certificates,
                  .key = std::string{identity.key.reveal()}}),
            "nothing is wrong");
}

TEST(HostWishes, SettingsForSshAreJudgedByTheirFields) {
  auto with = [](HostWish::Ssh ssh) {
    auto one = wish("ssh://ann@edge");
    one.ssh = std::move(ssh);
    return refusal(one);
  };
  EXPECT_THAT(with({.identity = "ssh-ed25519 AAAA"}),
              HasSubstr("field 'ssh.identity' can not be "));
  EXPECT_THAT(with({.identity_file = "key"}), HasSubstr("field 'ssh.identity_file'"));
  EXPECT_THAT(with({.passphrase = "a\nb"}), HasSubstr("field 'ssh.passphrase'"));
  EXPECT_THAT(with({.password = "a\nb"}), HasSubstr("field 'ssh.password'"));
  EXPECT_THAT(with({.certificate = "x"}), HasSubstr("field 'ssh.certificate'"));
}

TEST(HostWishes, WhatIsNotSaidStaysAndAnEmptyTextTakesAway) {
  auto first = wish("ssh://ann@edge");
  first.ssh = HostWish::Ssh{.jumps = {{"gate:2222"}}, .password = "hunter2"};
  auto before = record_for(first);
  auto after = value_or_throw(fulfilled(before, {.note = "moved"}));
  EXPECT_EQ(after.reach.ssh.password.reveal(), "hunter2");
  EXPECT_TRUE(same_reach(before.reach, after.reach));
  after = value_or_throw(fulfilled(before, {.ssh = HostWish::Ssh{.password = ""}}));
  EXPECT_TRUE(after.reach.ssh.password.empty());
  EXPECT_EQ(after.reach.ssh.jumps.size(), 1U);
  EXPECT_FALSE(same_reach(before.reach, after.reach));
}

TEST(HostWishes, AnotherTransportForgetsTheSecretsOfTheOldOne) {
  auto first = wish("ssh://ann@edge");
  first.ssh = HostWish::Ssh{.password = "hunter2"};
  auto after = value_or_throw(fulfilled(record_for(first), {.endpoint = "unix:///run/d.sock"}));
  EXPECT_TRUE(after.reach.ssh.password.empty());
}

TEST(HostWishes, AnotherMachineIsNotShownTheSecretsOfTheOldOne) {
  auto first = wish("ssh://ann@edge:22");
  first.ssh = HostWish::Ssh{.jumps = {{"gate"}}, .password = "hunter2"};
  auto before = record_for(first);
  for (auto elsewhere : {"ssh://ann@evil:22", "ssh://bob@edge:22", "ssh://ann@edge:2222"}) {
    auto after = value_or_throw(fulfilled(before, {.endpoint = elsewhere}));
    EXPECT_TRUE(after.reach.ssh.password.empty()) << elsewhere;
    EXPECT_EQ(after.reach.ssh.jumps.size(), 1U) << elsewhere;
  }
  auto over_evil = value_or_throw(fulfilled(before, {.ssh = HostWish::Ssh{.jumps = {{"evil"}}}}));
  EXPECT_TRUE(over_evil.reach.ssh.password.empty());
  HostWish anew{.endpoint = "ssh://ann@other:22", .ssh = HostWish::Ssh{.password = "swordfish"}};
  EXPECT_EQ(value_or_throw(fulfilled(before, anew)).reach.ssh.password.reveal(), "swordfish");
  auto same = value_or_throw(fulfilled(before, {.endpoint = "ssh://ann@edge:22/run/other.sock"}));
  EXPECT_EQ(same.reach.ssh.password.reveal(), "hunter2");
  auto unsaid = value_or_throw(fulfilled(before, {.ssh = HostWish::Ssh{.jumps = {{"gate"}}}}));
  EXPECT_EQ(unsaid.reach.ssh.password.reveal(), "hunter2");
}

TEST(HostWishes, AnotherMachineIsNotMetWithTheCertificateOfTheOldOne) {
  net::TestAuthority authority;
  auto identity = authority.issue();
  auto first = wish("tls://edge:2376");
  first.tls = HostWish::Tls{.authorities = authority.certificate(),
                            .certificate = identity.certificates,
                            .key = std::string{identity.key.reveal()}};
  auto before = record_for(first);
  auto moved = value_or_throw(fulfilled(before, {.endpoint = "tls://evil:2376"}));
  EXPECT_TRUE(moved.reach.tls.key.empty());
  EXPECT_TRUE(moved.reach.tls.certificate.empty());
  EXPECT_EQ(moved.reach.tls.authorities, authority.certificate());
  auto other_port = value_or_throw(fulfilled(before, {.endpoint = "tls://edge:2377"}));
  EXPECT_FALSE(other_port.reach.tls.key.empty());
}

TEST(HostWishes, TheHostOfTheOptionIsReachedAsTheOptionSays) {
  HostRecord local;
  local.config.id = HostId{"1"};
  local.config.name = "local";
  local.config.origin = Origin::engine_option;
  auto moved = fulfilled(local, {.endpoint = "unix:///run/other.sock"});
  ASSERT_FALSE(moved);
  EXPECT_THAT(moved.error().message, HasSubstr("--engine"));
  EXPECT_TRUE(fulfilled(local, {.name = "here", .standing = Standing::disabled}));
}

TEST(HostRows, HoldEverythingAndNothingSecretIsReadable) {
  auto first = wish("ssh://ann@edge:2222");
  first.labels = Texts{{"site", "berlin"}};
  first.groups = {{"edge"}};
  first.note = "behind the gate";
  first.ssh = HostWish::Ssh{
      .jumps = {{"bob@gate"}}, .password = "hunter2", .agent = net::SshSettings::Agent::used};
  auto record = record_for(first);
  auto row = row_of(record, sealer());
  EXPECT_EQ(row.sealed.find("hunter2"), std::string::npos);
  auto back = record_of(row, sealer());
  EXPECT_EQ(back.config.labels, record.config.labels);
  EXPECT_EQ(back.config.groups, record.config.groups);
  EXPECT_EQ(back.config.note, "behind the gate");
  EXPECT_EQ(back.config.endpoint.text(), "ssh://ann@edge:2222");
  EXPECT_TRUE(same_reach(back.reach, record.reach));
}

TEST(HostRows, SecretsUnderAnotherKeyOrOfAnotherHostMakeItUnusable) {
  auto first = wish("ssh://ann@edge");
  first.ssh = HostWish::Ssh{.password = "hunter2"};
  auto row = row_of(record_for(first), sealer());
  auto back = record_of(row, sealer('x'));
  ASSERT_TRUE(back.reach.unusable);
  EXPECT_THAT(back.reach.unusable->remedy, HasSubstr("key file"));
  row.id = HostId{"9999"};
  EXPECT_TRUE(record_of(row, sealer()).reach.unusable);
}

}  // namespace
}  // namespace gantry::fleet
