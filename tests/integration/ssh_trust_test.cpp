// Host keys, breaks and what is left: a way over OpenSSH against real sshds on loopback.
#include "engine/exec.hpp"
#include "engine/streams.hpp"
#include "integration/ssh_ways.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace gantry {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// What a file of /proc says; empty where its process has gone, also between opening and reading:
/// there a stream buffer of its own throws.
std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// `pid`'s children, theirs, and so on.
std::vector<int> descendants(int pid) {
  std::ifstream file{fmt::format("/proc/{0}/task/{0}/children", pid)};
  std::vector<int> found{std::istream_iterator<int>{file}, {}};
  for (std::size_t i = 0, direct = found.size(); i < direct; ++i) {
    auto more = descendants(found[i]);
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

/// The arguments of our OpenSSH clients.
std::vector<int> ssh_clients() {
  auto all = descendants(::getpid());
  std::erase_if(all,
                [](int pid) { return read_file(fmt::format("/proc/{}/comm", pid)) != "ssh\n"; });
  return all;
}

class SshTrust : public SshWays {};

/// How often somebody connected.
std::size_t knocks(std::string_view log) {
  std::size_t count = 0;
  for (auto at = log.find("Connection from"); at != log.npos;
       at = log.find("Connection from", at + 1)) {
    ++count;
  }
  return count;
}

TEST_F(SshTrust, AnUnknownKeyIsShownAndTrustedByItsFingerprint) {
  SshServer server{loop_};
  auto settings = with_key("mine");
  server.accept(keys_->public_key("mine"));
  auto& tunnel = open(server.endpoint(socket()), std::move(settings));
  auto refused = refusal();
  EXPECT_EQ(refused.code, "ssh_host_key_unknown");
  EXPECT_THAT(refused.message, HasSubstr(server.fingerprint()));
  ASSERT_TRUE(tunnel.offered());
  EXPECT_EQ(*tunnel.offered(),
            (net::SshHostKey{server.name(), "ssh-ed25519", server.fingerprint()}));
  auto trusted = run(tunnel.trust(server.fingerprint()));
  ASSERT_TRUE(trusted) << trusted.error().sentence();
  EXPECT_EQ(folder_.read("known_hosts"), server.known_hosts_line());
  auto listed = list();
  EXPECT_TRUE(listed) << listed.error().sentence();
  EXPECT_THAT(server.log(), Not(HasSubstr("Failed")));
}

TEST_F(SshTrust, NothingIsShownToAMachineWhoseKeyIsUnknown) {
  SshServer server{loop_};
  open(server.endpoint(socket()), with_key("mine"));
  refusal();
  EXPECT_THAT(server.log(), Not(HasSubstr("ED25519 SHA256:" + keys_->fingerprint("mine"))));
  EXPECT_THAT(server.log(), Not(HasSubstr("publickey")));
}

TEST_F(SshTrust, AnotherFingerprintThanTheOneThatIsShownIsRefused) {
  SshServer server{loop_};
  auto& tunnel = open(server.endpoint(socket()), with_key("mine"));
  keys_->make("other");
  auto trusted = run(tunnel.trust(keys_->fingerprint("other")));
  EXPECT_EQ(trusted.error().code, "ssh_fingerprint_differs");
  EXPECT_EQ(run(tunnel.trust("SHA256:x")).error().code, "bad_fingerprint");
  EXPECT_EQ(folder_.read("known_hosts"), "");
}

TEST_F(SshTrust, WhereAllIsTrustedThereIsNothingToTrust) {
  SshServer server{loop_};
  trust(server);
  auto& tunnel = open(server.endpoint(socket()), with_key("mine"));
  EXPECT_EQ(run(tunnel.trust(server.fingerprint())).error().code, "ssh_nothing_to_trust");
}

TEST_F(SshTrust, AChangedKeyStopsEverythingUntilItIsTrusted) {
  SshServer server{loop_};
  auto settings = with_key("mine");
  welcome(server, "mine");
  auto& tunnel = open(server.endpoint(socket()), std::move(settings),
                      {.first_retry = Milliseconds{10}, .longest_retry = Milliseconds{20}});
  ASSERT_TRUE(list());
  server.stop();
  server.renew_host_key();
  server.start();
  eventually([&] { return tunnel.error() && tunnel.error()->code == "ssh_host_key_changed"; });
  auto before = knocks(server.log());
  EXPECT_EQ(refusal().code, "ssh_host_key_changed");
  EXPECT_EQ(refusal().code, "ssh_host_key_changed");
  EXPECT_EQ(knocks(server.log()), before);
  ASSERT_TRUE(tunnel.offered());
  EXPECT_EQ(tunnel.offered()->fingerprint, server.fingerprint());
  auto trusted = run(tunnel.trust(server.fingerprint()));
  ASSERT_TRUE(trusted) << trusted.error().sentence();
  EXPECT_EQ(folder_.read("known_hosts"), server.known_hosts_line());
  auto listed = list();
  EXPECT_TRUE(listed) << listed.error().sentence();
}

class SshBreaks : public SshWays {
 protected:
  void SetUp() override {
    SshWays::SetUp();
    if (testing::Test::IsSkipped() || HasFatalFailure()) return;
    settings_.emplace(with_key("mine"));
  }
  /// Both ways to the engine.
  SshServer::Options without_forwarding() { return {.lines = {"AllowStreamLocalForwarding no"}}; }

  std::optional<net::SshSettings> settings_;
};

async::task<std::string> follow_until_killed(engine::Client& far, std::string container,
                                             SshServer& server) {
  auto logs = value_or_throw(co_await engine::container_logs(
      far, container, engine::Framing::multiplexed, {.follow = engine::Follow::yes}));
  auto first = co_await logs.read(Seconds{10});
  server.stop();
  auto rest = co_await async::attempt(logs.read(Seconds{10}));
  while (rest && *rest) rest = co_await async::attempt(logs.read(Seconds{10}));
  co_return first ? first->bytes : std::string{};
}

TEST_F(SshBreaks, AStreamEndsWithItsConnectionAndTheNextOneIsMadeAnew) {
  SshServer server{loop_};
  welcome(server, "mine");
  open(server.endpoint(socket()), std::move(*settings_), {.first_retry = Milliseconds{10}});
  auto id = started(shell("while true; do echo tick; sleep 0.2; done"));
  EXPECT_THAT(run(follow_until_killed(*far_, id, server)), HasSubstr("tick"));
  eventually([&] { return !tunnel_->via(); });
  server.start();
  eventually([&] { return tunnel_->via().has_value(); });
  auto listed = list();
  EXPECT_TRUE(listed) << listed.error().sentence();
}

TEST_F(SshBreaks, APeerThatFallsSilentIsNoticed) {
  SshServer server{loop_};
  welcome(server, "mine");
  open(server.endpoint(socket()), std::move(*settings_), {.alive_interval = Seconds{1}});
  auto stream = run(tunnel_->connect());
  server.freeze();
  eventually([&] { return tunnel_->error().has_value(); });
  EXPECT_EQ(tunnel_->error()->code, "ssh_timed_out");
  char byte[1];
  EXPECT_EQ(run(stream->read_some(byte)), 0U);
}

TEST_F(SshBreaks, NothingIsLeftAfterClosing) {
  SshServer jump{loop_};
  SshServer server{loop_};
  welcome(jump, "mine");
  welcome(server, "mine");
  settings_->jumps = value_or_throw(net::SshSettings::parse_jumps({jump.login()}));
  auto& tunnel = open(server.endpoint(socket()), std::move(*settings_));
  auto stream = run(tunnel.connect());
  eventually([] { return ssh_clients().size() == 2; });
  run(tunnel.close());
  EXPECT_THAT(ssh_clients(), IsEmpty());
  EXPECT_TRUE(fs::is_empty(places_.runtime));
  EXPECT_EQ(refusal().code, "ssh_closed");
}

TEST_F(SshBreaks, NothingIsLeftOfDialStdioEither) {
  SshServer server{loop_, without_forwarding()};
  welcome(server, "mine");
  auto& tunnel = open(server.endpoint(socket()), std::move(*settings_));
  {
    auto first = run(tunnel.connect());
    auto second = run(tunnel.connect());
    eventually([] { return ssh_clients().size() == 2; });
    second.reset();
    eventually([] { return ssh_clients().size() == 1; });
    run(tunnel.close());
    EXPECT_THAT(ssh_clients(), IsEmpty());
  }
}

TEST_F(SshBreaks, StreamsAreBounded) {
  SshServer server{loop_, without_forwarding()};
  welcome(server, "mine");
  auto& tunnel = open(server.endpoint(socket()), std::move(*settings_), {.stdio_streams_max = 1});
  auto first = run(tunnel.connect());
  auto refused = refusal();
  EXPECT_EQ(refused.code, "ssh_too_many_streams");
  EXPECT_EQ(refused.kind, ErrorKind::exhausted);
  first.reset();
  EXPECT_EQ(refusal(), Error{});
}

TEST_F(SshBreaks, SecretsAreNeitherInArgumentsNorInEnvironmentsNorLeftInFiles) {
  SshServer server{loop_};
  settings_->passphrase = Secret{"a-passphrase"};
  settings_->identity = Secret{keys_->make("locked", "a-passphrase")};
  settings_->password = Secret{"a-password"};
  welcome(server, "locked");
  auto& tunnel = open(server.endpoint(socket()), std::move(*settings_));
  auto stream = run(tunnel.connect());
  auto clients = ssh_clients();
  ASSERT_THAT(clients, SizeIs(1));
  for (const auto* file : {"cmdline", "environ"}) {
    auto text = read_file(fmt::format("/proc/{}/{}", clients.front(), file));
    EXPECT_FALSE(text.empty());
    EXPECT_THAT(text, Not(HasSubstr("a-pass")));
  }
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(places_.runtime)) {
    names.push_back(entry.path().filename());
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre(HasSubstr("gantry-ssh-"), "config", "s"));
}

async::task<std::string> output_of(engine::Client& far, std::string container,
                                   std::vector<std::string> command) {
  auto exec =
      value_or_throw(co_await engine::create_exec(far, container, {.command = std::move(command)}));
  auto stream =
      value_or_throw(co_await engine::start_exec(far, exec, engine::Framing::multiplexed));
  std::string output;
  while (auto frame = co_await stream.read()) output += frame->bytes;
  co_return output;
}

class SshExecs : public SshBreaks, public testing::WithParamInterface<std::string> {};

TEST_P(SshExecs, GoThroughTheTunnel) {
  SshServer server{loop_, {.lines = {"AllowStreamLocalForwarding " + GetParam()}}};
  welcome(server, "mine");
  open(server.endpoint(socket()), std::move(*settings_));
  auto id = started(sleeper());
  EXPECT_EQ(run(output_of(*far_, id, {"echo", "through"})), "through\n");
}

INSTANTIATE_TEST_SUITE_P(BothWays, SshExecs, testing::Values("yes", "no"));

TEST_F(SshBreaks, TheUsersConfigurationNamesTheWayAndAddsNothing) {
  SshServer server{loop_};
  welcome(server, "mine");
  auto login = server.login();
  folder_.write("ssh_config", fmt::format("Host box\n  HostName 127.0.0.1\n  Port {}\n"
                                          "  LocalForward 127.0.0.1:1 127.0.0.1:2\n"
                                          "  PermitLocalCommand yes\n"
                                          "  LocalCommand touch {}\n",
                                          server.port(), folder_.file("touched")));
  places_.user_config = folder_.file("ssh_config");
  settings_->config = net::SshSettings::UserConfig::read;
  auto endpoint = fmt::format("ssh://box{}", socket());
  open(value_or_throw(net::Endpoint::parse(endpoint)), std::move(*settings_));
  auto listed = list();
  ASSERT_TRUE(listed) << listed.error().sentence();
  EXPECT_FALSE(fs::exists(folder_.file("touched")));
}

TEST_F(SshBreaks, TheUsersConfigurationIsRefusedWhereItsOwnerDoes) {
  SshServer server{loop_};
  settings_->config = net::SshSettings::UserConfig::read;
  open(server.endpoint(socket()), std::move(*settings_));
  EXPECT_EQ(refusal().code, "ssh_config_not_allowed");
}

TEST_F(SshBreaks, AnAgentLogsInWhereItsOwnerAllows) {
  SshServer server{loop_};
  welcome(server, "mine");
  auto socket_path = folder_.file("agent");
  auto agent = value_or_throw(async::Process::start(
      executor(), {.argv = {"ssh-agent", "-D", "-a", socket_path}, .env = {}}));
  eventually([&] { return fs::exists(socket_path); });
  auto added = value_or_throw(run(async::run_process(
      {.argv = {"ssh-add", "-q", keys_->file("mine")}, .env = {"SSH_AUTH_SOCK=" + socket_path}},
      1'000)));
  ASSERT_TRUE(added.status.success()) << added.output;
  net::SshSettings settings{.agent = net::SshSettings::Agent::used};
  places_.agent_socket = socket_path;
  open(server.endpoint(socket()), std::move(settings));
  auto listed = list();
  EXPECT_TRUE(listed) << listed.error().sentence();
}

class SshProbes : public SshBreaks {
 protected:
  static std::vector<std::string> states(const net::SshReport& report) {
    std::vector<std::string> found;
    for (const auto& step : report.steps) {
      constexpr const char* words[] = {"ok", "failed", "skipped"};
      found.push_back(step.step + " " + words[static_cast<std::size_t>(step.state)]);
    }
    return found;
  }
};

TEST_F(SshProbes, TellEachStepOfAWayThatWorks) {
  SshServer server{loop_};
  welcome(server, "mine");
  auto& tunnel = open(server.endpoint(socket()), std::move(*settings_));
  auto report = run(tunnel.probe());
  EXPECT_THAT(states(report), testing::ElementsAre("resolve ok", "connect ok", "host_key ok",
                                                   "authenticate ok", "forward ok"));
  EXPECT_EQ(report.via, net::SshVia::forward);
  EXPECT_FALSE(report.error);
  ASSERT_TRUE(report.steps[2].key);
  EXPECT_EQ(report.steps[2].key->fingerprint, server.fingerprint());
  EXPECT_THAT(report.steps[3].detail, HasSubstr("publickey"));
}

TEST_F(SshProbes, ShowTheFingerprintOfAKeyThatIsNotTrusted) {
  SshServer server{loop_};
  auto& tunnel = open(server.endpoint(socket()), std::move(*settings_));
  auto report = run(tunnel.probe());
  EXPECT_THAT(states(report), testing::ElementsAre("resolve ok", "connect ok", "host_key failed",
                                                   "authenticate skipped", "forward skipped"));
  ASSERT_TRUE(report.steps[2].key);
  EXPECT_EQ(report.steps[2].key->fingerprint, server.fingerprint());
  EXPECT_EQ(report.steps[2].code, "ssh_host_key_unknown");
  EXPECT_FALSE(report.steps[2].remedy.empty());
}

TEST_F(SshProbes, NameTheStepThatFailed) {
  SshServer server{loop_};
  trust(server);
  auto endpoint = server.endpoint(socket());
  auto& tunnel = open(endpoint, with_key("strange"));
  EXPECT_THAT(states(run(tunnel.probe())),
              testing::ElementsAre("resolve ok", "connect ok", "host_key ok", "authenticate failed",
                                   "forward skipped"));
  server.stop();
  EXPECT_THAT(states(run(tunnel.probe())),
              testing::ElementsAre("resolve ok", "connect failed", "host_key skipped",
                                   "authenticate skipped", "forward skipped"));
}

TEST_F(SshProbes, TellOfDialStdioAndOfAMissingSocket) {
  SshServer server{loop_, without_forwarding()};
  welcome(server, "mine");
  auto settings = *settings_;
  auto& tunnel = open(server.endpoint(socket()), std::move(*settings_));
  auto report = run(tunnel.probe());
  EXPECT_EQ(report.via, net::SshVia::dial_stdio);
  EXPECT_THAT(report.steps[4].detail, HasSubstr("dial-stdio"));
  auto& other = open(server.endpoint("/run/no-such.sock"), std::move(settings));
  auto failed = run(other.probe());
  EXPECT_EQ(states(failed).back(), "forward failed");
  EXPECT_FALSE(failed.via);
}

}  // namespace
}  // namespace gantry
