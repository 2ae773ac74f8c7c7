#include "net/ssh_settings.hpp"

#include "net/endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::net {
namespace {

using testing::HasSubstr;

TEST(SshHop, IsAUserAHostAndAPort) {
  EXPECT_EQ(SshHop::parse("ann@edge-3.example:2222").value(),
            (SshHop{"ann", "edge-3.example", 2222}));
  EXPECT_EQ(SshHop::parse("edge_3").value(), (SshHop{"", "edge_3", 0}));
  EXPECT_EQ(SshHop::parse("ann@[fe80::1]:22").value(), (SshHop{"ann", "fe80::1", 22}));
}

TEST(SshHop, IsWrittenAsItWasRead) {
  EXPECT_EQ(SshHop::parse("ann@[::1]:22")->text(), "ann@[::1]:22");
  EXPECT_EQ(SshHop::parse("edge")->text(), "edge");
}

class SmugglingHop : public testing::TestWithParam<std::string_view> {};

TEST_P(SmugglingHop, IsRefusedAsAHopAndAsAnEndpoint) {
  EXPECT_EQ(SshHop::parse(GetParam()).error().code, "bad_endpoint");
  EXPECT_EQ(Endpoint::parse(std::string{"ssh://"}.append(GetParam())).error().code, "bad_endpoint");
}

using namespace std::string_view_literals;
INSTANTIATE_TEST_SUITE_P(
    Hostile, SmugglingHop,
    testing::Values(""sv, "@"sv, "ann@"sv, "@host"sv, ":22"sv, "-oProxyCommand=id"sv,
                    "-oProxyCommand=id@host"sv, "ann@-oProxyCommand=id"sv, "ann@-host"sv, "-F"sv,
                    "--"sv, "ann@--"sv, "host\n"sv, "host\nProxyCommand id"sv, "host\r"sv,
                    "an\nn@host"sv, "host\0name"sv, "host name"sv, "ann @host"sv, "host\t"sv,
                    "%h"sv, "host%h"sv, "%r@host"sv, "ann@%d"sv, "$HOME"sv, "${HOME}"sv, "`id`"sv,
                    "$(id)"sv, "host;id"sv, "host|id"sv, "host&id"sv, "host>file"sv, "host'"sv,
                    "host\""sv, "host\\"sv, "host*"sv, "host?"sv, "!host"sv, "~"sv, "host,other"sv,
                    "ann@bob@host"sv, "ann:secret@host"sv, "host:"sv, "host:0"sv, "host:65536"sv,
                    "host:99999999999"sv, "host:-1"sv, "host:+22"sv, "host:22x"sv, "host:22:22"sv,
                    "["sv, "[]"sv, "[::1"sv, "[::1%eth0]"sv, "[host]"sv, "[::1]x"sv, "[::1]:"sv,
                    ".host"sv, "h\xC3\xB6st"sv, "host#x"sv, "host=x"sv));

TEST(SshHop, IsRefusedWhenItsNamesAreTooLong) {
  EXPECT_TRUE(SshHop::parse(std::string(253, 'h')));
  EXPECT_FALSE(SshHop::parse(std::string(254, 'h')));
  EXPECT_FALSE(SshHop::parse(std::string(65, 'u') + "@h"));
}

TEST(SshHop, ShowsNoControlCharactersInItsRefusal) {
  EXPECT_EQ(SshHop::parse("a\x1b[2Jb").error().message.find('\x1b'), std::string::npos);
}

TEST(SshEndpoint, KeepsUserHostPortAndPathApart) {
  auto endpoint = Endpoint::parse("ssh://ann@edge-3:2222/run/user/1000/docker.sock");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->scheme(), Endpoint::Scheme::ssh);
  EXPECT_EQ(endpoint->user(), "ann");
  EXPECT_EQ(endpoint->host(), "edge-3");
  EXPECT_EQ(endpoint->port(), 2222);
  EXPECT_EQ(endpoint->path(), "/run/user/1000/docker.sock");
  EXPECT_EQ(endpoint->host_header(), "localhost");
  EXPECT_EQ(endpoint->text(), "ssh://ann@edge-3:2222/run/user/1000/docker.sock");
}

TEST(SshEndpoint, LeavesToOpensshWhatItDoesNotName) {
  auto endpoint = Endpoint::parse("ssh://edge/");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->user(), "");
  EXPECT_EQ(endpoint->port(), 0);
  EXPECT_EQ(endpoint->path(), "");
  EXPECT_EQ(endpoint->text(), "ssh://edge");
}

class SmugglingPath : public testing::TestWithParam<std::string_view> {};

TEST_P(SmugglingPath, IsRefused) {
  EXPECT_EQ(Endpoint::parse(std::string{"ssh://host"}.append(GetParam())).error().code,
            "bad_endpoint");
}

// The path stands in an argument that is split at colons, and between a far shell's quotes.
INSTANTIATE_TEST_SUITE_P(Hostile, SmugglingPath,
                         testing::Values("/a:b"sv, "/a b"sv, "/a'b"sv, "/a\"b"sv, "/$HOME"sv,
                                         "/%h"sv, "/a;id"sv, "/a\nb"sv, "/a\0b"sv, "/a`id`"sv,
                                         "/a?b"sv, "/a#b"sv, "/a\\b"sv, "/a*"sv, "/~"sv));

TEST(SshEndpoint, RefusesPathsThatNoSocketCanHave) {
  EXPECT_FALSE(Endpoint::parse("ssh://host/" + std::string(107, 'a')));
}

constexpr std::string_view key_text =
    "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";

SshSettings with_identity(std::string text) {
  SshSettings settings;
  settings.identity = Secret{std::move(text)};
  return settings;
}

TEST(SshSettings, TakeAPrivateKey) {
  EXPECT_TRUE(with_identity(std::string{key_text}).check());
  EXPECT_TRUE(SshSettings{}.check());
}

TEST(SshSettings, RefuseWhatIsNoPrivateKey) {
  EXPECT_EQ(with_identity("ssh-ed25519 AAAA ann").check().error().code, "bad_ssh_settings");
  EXPECT_FALSE(with_identity(std::string{key_text} + std::string(1, '\0')).check());
  EXPECT_FALSE(with_identity(std::string{key_text} + std::string(70'000, ' ')).check());
}

TEST(SshSettings, RefuseAKeyAndAFileAtOnce) {
  auto settings = with_identity(std::string{key_text});
  settings.identity_file = "/etc/gantry/key";
  EXPECT_FALSE(settings.check());
}

class SmugglingFile : public testing::TestWithParam<std::string_view> {};
TEST_P(SmugglingFile, IsRefused) {
  SshSettings settings;
  settings.identity_file = GetParam();
  EXPECT_EQ(settings.check().error().code, "bad_ssh_settings");
}
INSTANTIATE_TEST_SUITE_P(Hostile, SmugglingFile,
                         testing::Values("key"sv, "~/key"sv, "/a\"\n  ProxyCommand id"sv,
                                         "/%d/key"sv, "/${HOME}/key"sv, "-oProxyCommand=id"sv,
                                         "/a\\b"sv));

TEST(SshSettings, TakeACertificateOfOneLine) {
  SshSettings settings;
  settings.certificate = "ssh-ed25519-cert-v01@openssh.com AAAA ann\n";
  EXPECT_TRUE(settings.check());
  settings.certificate += "ssh-ed25519-cert-v01@openssh.com BBBB bob\n";
  EXPECT_FALSE(settings.check());
  settings.certificate = "ssh-ed25519 AAAA ann";
  EXPECT_FALSE(settings.check());
}

TEST(SshSettings, RefuseAnswersThatEndTooEarly) {
  SshSettings settings;
  settings.password = Secret{"first\nsecond"};
  EXPECT_THAT(settings.check().error().message, HasSubstr("password"));
  SshSettings other;
  other.passphrase = Secret{std::string(1'001, 'x')};
  EXPECT_THAT(other.check().error().message, HasSubstr("passphrase"));
}

TEST(SshSettings, TakeEightJumpHostsAndNotOneMore) {
  std::vector<std::string> texts(8, "ann@jump:2222");
  EXPECT_EQ(SshSettings::parse_jumps(texts)->size(), 8U);
  texts.emplace_back("jump");
  EXPECT_EQ(SshSettings::parse_jumps(texts).error().code, "bad_ssh_settings");
}

TEST(SshSettings, RefuseJumpHostsThatAreMoreThanNames) {
  EXPECT_EQ(SshSettings::parse_jumps({"jump", "-oProxyCommand=id"}).error().code, "bad_endpoint");
  SshSettings settings;
  settings.jumps = {{"ann", "jump\n  ProxyCommand id", 22}};
  EXPECT_FALSE(settings.check());
}

}  // namespace
}  // namespace gantry::net
