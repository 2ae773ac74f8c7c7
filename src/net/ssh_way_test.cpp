#include "net/ssh_way.hpp"

#include "net/ssh_known_hosts.hpp"
#include "net/ssh_questions.hpp"
#include "net/ssh_room.hpp"
#include "net/ssh_user_config.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace gantry::net {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

SshHop hop(std::string_view text) { return value_or_throw(SshHop::parse(text)); }

SshWay way_over(std::vector<std::string> jumps) {
  SshSettings settings;
  settings.jumps = value_or_throw(SshSettings::parse_jumps(jumps));
  return plain_ssh_way(hop("ann@Edge-3:2222"), settings);
}

std::string config_of(const SshWay& way, const std::optional<SshScan>& scan = {}) {
  return ssh_config(way, {.known_hosts = "/var/lib/gantry/known_hosts", .identity = "/room/key"},
                    SshAnswers::none, Seconds{15}, scan);
}

TEST(SshKnownName, HasThePortWhereItIsNotTheUsualOne) {
  EXPECT_EQ(ssh_known_name(hop("Edge")), "edge");
  EXPECT_EQ(ssh_known_name(hop("edge:22")), "edge");
  EXPECT_EQ(ssh_known_name(hop("ann@[::1]:2222")), "[::1]:2222");
}

TEST(SshConfig, NamesTheHostInABlockOfItsOwn) {
  EXPECT_THAT(config_of(way_over({})), HasSubstr("Host gantry-host\n"
                                                 "  HostName Edge-3\n"
                                                 "  Port 2222\n"
                                                 "  User ann\n"
                                                 "  HostKeyAlias [edge-3]:2222\n"
                                                 "Host *\n"));
}

TEST(SshConfig, ReachesEveryMachineThroughTheOneBefore) {
  auto config = config_of(way_over({"bob@first", "second:23"}));
  EXPECT_THAT(config, HasSubstr("Host gantry-jump-0\n  HostName first\n  User bob\n"
                                "  HostKeyAlias first\nHost gantry-jump-1\n"));
  EXPECT_THAT(config, HasSubstr("HostKeyAlias [second]:23\n  ProxyJump gantry-jump-0\n"));
  EXPECT_THAT(config, HasSubstr("HostKeyAlias [edge-3]:2222\n  ProxyJump gantry-jump-1\n"));
}

TEST(SshConfig, TrustsGantrysKnownHostsOnly) {
  auto config = config_of(way_over({}));
  EXPECT_THAT(config, HasSubstr("  UserKnownHostsFile \"/var/lib/gantry/known_hosts\"\n"));
  EXPECT_THAT(config, HasSubstr("  GlobalKnownHostsFile /dev/null\n"));
  EXPECT_THAT(config, HasSubstr("  StrictHostKeyChecking yes\n"));
  EXPECT_THAT(config, HasSubstr("  UpdateHostKeys no\n"));
  EXPECT_THAT(config, Not(HasSubstr("accept-new")));
}

TEST(SshConfig, AllowsNothingButTheOneForwarding) {
  auto config = config_of(way_over({"jump"}));
  for (auto* line : {"ForwardAgent no", "ForwardX11 no", "PermitLocalCommand no",
                     "ControlMaster no", "ControlPath none", "RemoteCommand none", "Tunnel no",
                     "ExitOnForwardFailure yes", "BatchMode yes", "IdentityAgent none",
                     "IdentitiesOnly yes", "ServerAliveInterval 15", "ServerAliveCountMax 3"}) {
    EXPECT_THAT(config, HasSubstr("  " + std::string{line} + "\n"));
  }
}

TEST(SshConfig, AsksTheAgentThatItIsTold) {
  auto config = ssh_config(way_over({}), {.known_hosts = "/k", .agent = "/run/agent.sock"},
                           SshAnswers::given, Seconds{15});
  EXPECT_THAT(config, HasSubstr("  IdentityAgent \"/run/agent.sock\"\n"));
  EXPECT_THAT(config, HasSubstr("  BatchMode no\n"));
  EXPECT_THAT(config, Not(HasSubstr("IdentitiesOnly")));
}

TEST(SshConfig, ShowsNothingToAMachineThatIsOnlyAskedForItsKey) {
  auto config =
      config_of(way_over({"jump"}), SshScan{"/room/offered", SshScan::Key::recorded, "ssh-rsa"});
  EXPECT_THAT(config, HasSubstr("Host gantry-host\n"
                                "  UserKnownHostsFile \"/room/offered\"\n"
                                "  StrictHostKeyChecking accept-new\n"
                                "  HostKeyAlgorithms rsa-sha2-512,rsa-sha2-256\n"
                                "  PreferredAuthentications none\n"
                                "  PubkeyAuthentication no\n"));
  // The jump host before it is checked as ever: its block says nothing else.
  EXPECT_THAT(config, HasSubstr("Host gantry-jump-0\n  HostName jump\n"));
}

TEST(SshArguments, HoldNobodysTextBeforeTheEndOfOptions) {
  EXPECT_THAT(ssh_forward_arguments("/room/config", "/room/s", "/run/docker.sock"),
              ElementsAre("-F", "/room/config", "-N", "-L", "/room/s:/run/docker.sock", "--",
                          "gantry-host"));
  EXPECT_THAT(ssh_command_arguments("/room/config", ssh_stdio_command("/run/d.sock")),
              ElementsAre("-F", "/room/config", "-T", "--", "gantry-host",
                          "docker --host unix:///run/d.sock system dial-stdio"));
  EXPECT_EQ(ssh_stdio_command(""), "docker system dial-stdio");
}

TEST(SshEnvironment, IsSmallAndHoldsNoSecret) {
  EXPECT_THAT(ssh_environment({}, ""),
              ElementsAre("LC_ALL=C", "SHELL=/bin/sh", HasSubstr("PATH=")));
  EXPECT_THAT(ssh_environment({.askpass = "/usr/bin/gantry"}, "/room/q"),
              testing::IsSupersetOf({"SSH_ASKPASS=/usr/bin/gantry", "SSH_ASKPASS_REQUIRE=force",
                                     "GANTRY_SSH_QUESTION=/room/q"}));
}

class SshRooms : public testing::Test {
 protected:
  SshRooms() {
    std::string name = "/tmp/gantry-room-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    places_.runtime = folder_;
    places_.known_hosts = folder_ / "known_hosts";
  }
  ~SshRooms() override { fs::remove_all(folder_); }
  fs::path folder_;
  SshPlaces places_;
  SshSettings settings_;
};

TEST_F(SshRooms, AreOursAloneAndGoneAfterwards) {
  {
    SshRoom room{settings_, places_};
    struct stat status{};
    ASSERT_EQ(::stat(fs::path{room.file("x")}.parent_path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
    room.write("config", "text");
    ASSERT_EQ(::stat(room.file("config").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(SshRooms, HoldTheKeyOnlyWhileSomebodyNeedsIt) {
  settings_.identity = Secret{"-----BEGIN KEY\r\nx"};
  settings_.certificate = "cert";
  SshRoom room{settings_, places_};
  EXPECT_FALSE(fs::exists(room.file("key")));
  {
    auto one = room.lend_key();
    {
      auto other = room.lend_key();
    }
    EXPECT_EQ(room.read("key"), "-----BEGIN KEY\nx\n");
    EXPECT_EQ(room.read("key-cert.pub"), "cert\n");
  }
  EXPECT_FALSE(fs::exists(room.file("key")));
  EXPECT_FALSE(fs::exists(room.file("key-cert.pub")));
}

TEST_F(SshRooms, OfKilledProcessesAreSweptAndThoseInUseAreNot) {
  SshRoom room{settings_, places_};
  auto used = fs::path{room.write("config", "text")}.parent_path();
  fs::create_directory(folder_ / "gantry-ssh-abc123");
  fs::create_directory(folder_ / "gantry-ssh-of-somebody-else");
  sweep_ssh_rooms(folder_);
  EXPECT_FALSE(fs::exists(folder_ / "gantry-ssh-abc123"));
  EXPECT_TRUE(fs::exists(folder_ / "gantry-ssh-of-somebody-else"));
  EXPECT_TRUE(fs::exists(used / "config"));
  sweep_ssh_rooms("/no/such/folder");
}

TEST_F(SshRooms, RefuseFoldersWhoseNamesAreMoreThanNames) {
  for (auto* name : {"relative", "/with space", "/$(id)", "/%h",
                     "/much/too/long/for/the/name/of/a/socket/in/it"}) {
    places_.runtime = name;
    EXPECT_THROW((SshRoom{settings_, places_}), Failure) << name;
  }
}

TEST_F(SshRooms, RefuseKnownHostsWhoseNameOpensshWouldExpand) {
  for (auto* name : {"known", "/a\"b", "/%h", "/${HOME}", "/a\nb", "/a\\b"}) {
    places_.known_hosts = name;
    EXPECT_THROW((SshRoom{settings_, places_}), Failure) << name;
  }
}

TEST_F(SshRooms, RefuseTheAgentWhereItsOwnerDoes) {
  settings_.agent = SshSettings::Agent::used;
  EXPECT_THROW((SshRoom{settings_, places_}), Failure);
  places_.agent_socket = "/run/agent.sock";
  SshRoom room{settings_, places_};
  EXPECT_EQ(room.config_files().agent, "/run/agent.sock");
}

TEST(SshQuestions, AreAnsweredForOurKeyAndTheMachinesOnTheWay) {
  auto read = [](std::string_view question) {
    return read_ssh_question(question, "/room/key", {"edge", "[::1]:2222"});
  };
  EXPECT_EQ(read("Enter passphrase for key '/room/key': "), SshQuestion::passphrase);
  EXPECT_EQ(read("ann@edge's password: "), SshQuestion::password);
  EXPECT_EQ(read("(ann@[::1]:2222) Password: "), SshQuestion::password);
}

TEST(SshQuestions, OfAnythingElseAreNot) {
  for (auto* question :
       {"Enter passphrase for key '/home/ann/.ssh/id_rsa': ", "ann@other's password: ",
        "(ann@other) Password: ", "(ann@edge) Verification code: ", "(ann@edge",
        "Password: ", "Are you sure you want to continue connecting (yes/no/[fingerprint])? ", "",
        "Enter PIN for authenticator: ", "edge's password: "}) {
    EXPECT_FALSE(read_ssh_question(question, "/room/key", {"edge"})) << question;
  }
  EXPECT_FALSE(read_ssh_question("Enter passphrase for key '': ", "", {"edge"}));
}

// ssh-keygen -l says so of this key.
const SshPublicKey some_key{"ssh-ed25519",
                            "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"};
constexpr auto some_fingerprint = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU";

TEST(SshKnownHosts, ShowFingerprintsAsOpensshDoes) {
  EXPECT_EQ(ssh_fingerprint(some_key), some_fingerprint);
  EXPECT_TRUE(is_ssh_fingerprint(some_fingerprint));
  EXPECT_FALSE(is_ssh_fingerprint("SHA256:short"));
  EXPECT_FALSE(is_ssh_fingerprint("MD5:00:11"));
}

TEST(SshKnownHosts, PutAKeyInThePlaceOfAllOfThatName) {
  auto text = with_ssh_key(
      "# ours\n"
      "edge ssh-rsa OLD\n"
      "edge,10.0.0.1 ssh-ed25519 SHARED\n"
      "other ssh-ed25519 OTHER comment\n"
      "@cert-authority edge ssh-ed25519 CA\n",
      "edge", {"ssh-ed25519", "NEW"});
  EXPECT_EQ(text,
            "# ours\n"
            "10.0.0.1 ssh-ed25519 SHARED\n"
            "other ssh-ed25519 OTHER comment\n"
            "@cert-authority edge ssh-ed25519 CA\n"
            "edge ssh-ed25519 NEW\n");
  EXPECT_TRUE(knows_ssh_name(text, "edge"));
  EXPECT_FALSE(knows_ssh_name(text, "edg"));
}

TEST(SshKnownHosts, AreReplacedAsAWholeAndOurs) {
  std::string name = "/tmp/gantry-known-XXXXXX";
  fs::path folder = ::mkdtemp(name.data());
  auto path = (folder / "known_hosts").string();
  EXPECT_EQ(read_known_hosts(path), "");
  write_known_hosts(path, "edge ssh-ed25519 A\n");
  EXPECT_EQ(read_known_hosts(path), "edge ssh-ed25519 A\n");
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  fs::remove_all(folder);
  EXPECT_THROW(write_known_hosts(path, ""), Failure);
}

TEST(SshKnownHosts, ReadTheOneKeyThatWasRecorded) {
  EXPECT_EQ(recorded_ssh_key("[h]:1 ssh-rsa AAAA\n").value(), (SshPublicKey{"ssh-rsa", "AAAA"}));
  EXPECT_FALSE(recorded_ssh_key(""));
  EXPECT_FALSE(recorded_ssh_key("h ssh-rsa A\nh ssh-ed25519 B\n"));
}

TEST(SshUserConfig, TellsHowAMachineIsReachedAndNothingElse) {
  auto read = read_ssh_resolved(
      "host box\nuser ann\nhostname 10.0.0.5\nport 2222\n"
      "proxyjump bob@bastion:23,second\n"
      "identityfile ~/.ssh/my key\nproxycommand nc -x proxy %h %p\n"
      "localforward 8080 [localhost]:80\npermitlocalcommand yes\n"
      "localcommand id\nforwardagent yes\ncontrolpath /tmp/x\n"
      "userknownhostsfile /dev/null\nstricthostkeychecking no\n"
      "globalknownhostsfile /etc/x\nremotecommand id\nsendenv *\n",
      {});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->machine.hop, (SshHop{"ann", "10.0.0.5", 2222}));
  EXPECT_EQ(read->machine.known_as, "[10.0.0.5]:2222");
  EXPECT_THAT(read->jumps, ElementsAre(SshHop{"bob", "bastion", 23}, SshHop{"", "second", 0}));
  EXPECT_THAT(read->machine.options,
              ElementsAre("identityfile \"~/.ssh/my key\"", "proxycommand nc -x proxy %h %p"));
}

TEST(SshUserConfig, GivesWayToTheKeyOfTheSettings) {
  SshSettings settings;
  settings.identity = Secret{"key"};
  auto read = read_ssh_resolved("hostname ::1\nport 22\nidentityfile ~/.ssh/id\n", settings);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->machine.hop.host, "::1");
  EXPECT_THAT(read->machine.options, testing::IsEmpty());
}

TEST(SshUserConfig, IsRefusedWhereItsNamesAreMoreThanNames) {
  EXPECT_FALSE(read_ssh_resolved("hostname -oProxyCommand=id\nport 22\n", {}));
  EXPECT_FALSE(read_ssh_resolved("hostname h\nport 22\nproxyjump a,-b\n", {}));
  EXPECT_FALSE(read_ssh_resolved("", {}));
}

}  // namespace
}  // namespace gantry::net
