// The same table of reads and actions over every transport, on the real engine.
#include "access/audit_store.hpp"
#include "async/attempt.hpp"
#include "async/scope.hpp"
#include "engine/containers.hpp"
#include "fleet/fleet.hpp"
#include "fleet/query.hpp"
#include "integration/real_engine.hpp"
#include "integration/relay.hpp"
#include "integration/ssh_server.hpp"
#include "net/tls_certificates_fake.hpp"
#include "storage/testing_fake.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using testing::HasSubstr;

enum class Transport { unix_socket, tcp, tls, ssh, ssh_jump, ssh_dial_stdio };
constexpr std::array transports{Transport::unix_socket, Transport::tcp,
                                Transport::tls,         Transport::ssh,
                                Transport::ssh_jump,    Transport::ssh_dial_stdio};
constexpr std::array<const char*, 6> transport_names{"unix", "tcp",     "tls",
                                                     "ssh",  "sshJump", "sshDialStdio"};

bool needs_ssh(Transport transport) { return transport >= Transport::ssh; }

/// Whether `docker` can be run: what `docker system dial-stdio` needs on the far side.
bool has_docker_client() {
  for (const auto* folder : {"/usr/bin/docker", "/usr/local/bin/docker"}) {
    if (std::ifstream{folder}.good()) return true;
  }
  return false;
}

const Actor tester{.name = "tester", .id = "1", .by = "local"};

/// A fleet with one host, `far`, which is the real engine over one of the transports.
class FleetWays : public RealEngine, public testing::WithParamInterface<Transport> {
 protected:
  void SetUp() override {
    RealEngine::SetUp();
    if (!usable()) return;
    if (needs_ssh(GetParam()) && missing()) return;
    database_ = run(storage::open({}, folder_.path() / "data"));
    run(access::audit::migrate(*database_));
    Fleet::Settings settings{.local = {client_->endpoint(), {}},
                             .sealer = Sealer{Secret{std::string(Sealer::key_bytes, 'k')}}};
    settings.ssh.known_hosts = folder_.path() / "known_hosts";
    fleet_ = std::make_unique<Fleet>(executor(), *database_, std::move(settings));
    run(fleet_->start());
    fleet_->supervise();
    added_ = run(fleet_->add(tester, wish()));
    ASSERT_TRUE(added_) << added_.error().sentence();
    until_connected();
  }
  void TearDown() override {
    if (fleet_) run(fleet_->close());
    fleet_.reset();
    relay_.reset();
    RealEngine::TearDown();
  }

  /// Skips, visibly, what this machine can not do.
  bool missing() {
    auto reason = SshServer::missing();
    if (!reason && GetParam() == Transport::ssh_dial_stdio && !has_docker_client()) {
      reason = "there is no docker client here";
    }
    if (!reason) return false;
    if (std::getenv("CI") != nullptr) {
      ADD_FAILURE() << *reason;
    } else {
      skip(*reason);
    }
    return true;
  }
  static void skip(const std::string& reason) { GTEST_SKIP() << reason; }

  void until_connected() {
    auto connected = [this] { return host()->view().state == EngineState::connected; };
    for (int i = 0; i < 4 && !connected(); ++i) {
      (void)run_attempt(async::until(connected));
    }
    ASSERT_TRUE(connected()) << (host()->view().error ? host()->view().error->sentence()
                                                      : std::string{"not connected"});
  }
  Result<> run_attempt(async::task<void> work) { return run(async::attempt(std::move(work))); }

  HostWish wish() {
    auto to = net::dialer(executor(), client_->endpoint());
    switch (GetParam()) {
      case Transport::unix_socket:
        return {.name = "far", .endpoint = client_->endpoint().text()};
      case Transport::tcp:
        relay_ = std::make_unique<Relay>(loop_, std::move(to));
        return {.name = "far", .endpoint = fmt::format("tcp://127.0.0.1:{}", relay_->port())};
      case Transport::tls:
        return tls_wish(std::move(to));
      case Transport::ssh:
      case Transport::ssh_jump:
      case Transport::ssh_dial_stdio:
        return ssh_wish();
    }
    return {};
  }
  HostWish tls_wish(net::Connect to) {
    relay_ = std::make_unique<Relay>(loop_, std::move(to), authority_.server());
    auto identity = authority_.issue();
    return {.name = "far",
            .endpoint = fmt::format("tls://localhost:{}", relay_->port()),
            .tls = HostWish::Tls{.authorities = authority_.certificate(),
                                 .certificate = identity.certificates,
                                 .key = std::string{identity.key.reveal()}}};
  }
  HostWish ssh_wish() {
    SshServer::Options options;
    if (GetParam() == Transport::ssh_dial_stdio) {
      options.lines = {"AllowStreamLocalForwarding no",
                       "SetEnv DOCKER_HOST=" + client_->endpoint().text()};
    }
    server_.emplace(loop_, options);
    keys_.emplace(loop_);
    HostWish::Ssh ssh{.identity = keys_->make("mine")};
    welcome(*server_);
    if (GetParam() == Transport::ssh_jump) {
      jump_.emplace(loop_);
      welcome(*jump_);
      ssh.jumps = std::vector{jump_->login()};
    }
    auto path =
        GetParam() == Transport::ssh_dial_stdio ? std::string{} : client_->endpoint().path();
    return {.name = "far", .endpoint = server_->endpoint(path).text(), .ssh = std::move(ssh)};
  }
  void welcome(SshServer& server) {
    server.accept(keys_->public_key("mine"));
    std::ofstream{folder_.path() / "known_hosts", std::ios::app} << server.known_hosts_line();
  }

  bool ready() const { return fleet_ != nullptr && added_.has_value(); }
  std::shared_ptr<Host> host() const { return fleet_->find("far"); }
  engine::Client& far() { return host()->engine(); }
  std::string state_of(const std::string& id) const {
    for (const auto& container : host()->view().containers) {
      if (container.id == id) return container.state;
    }
    return "";
  }
  void until_state(const std::string& id, std::string state) {
    run(async::until([this, id, state] { return state_of(id) == state; }));
  }

  storage::TemporaryFolder folder_;
  net::TestAuthority authority_;
  std::unique_ptr<Relay> relay_;
  std::optional<SshKeys> keys_;
  std::optional<SshServer> jump_;
  std::optional<SshServer> server_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Fleet> fleet_;
  Result<std::shared_ptr<Host>> added_;
};

async::task<std::string> read_log(engine::Client& client, std::string id) {
  auto stream =
      value_or_throw(co_await engine::container_logs(client, id, engine::Framing::multiplexed, {}));
  std::string text;
  while (auto frame = co_await stream.read(Milliseconds{10'000})) text += frame->bytes;
  co_return text;
}

TEST_P(FleetWays, TheViewFollowsWhatIsDoneThroughTheHost) {
  if (!ready()) return;
  auto id = must(engine::create_container(far(), fresh_name(), sleeper())).id;
  until_state(id, "created");
  EXPECT_TRUE(run(engine::start_container(far(), id)));
  until_state(id, "running");
  EXPECT_TRUE(run(engine::pause_container(far(), id)));
  until_state(id, "paused");
  EXPECT_TRUE(run(engine::unpause_container(far(), id)));
  until_state(id, "running");
  EXPECT_TRUE(run(engine::kill_container(far(), id, "SIGKILL")));
  until_state(id, "exited");
  EXPECT_TRUE(run(engine::restart_container(far(), id, Seconds{1})));
  until_state(id, "running");
  EXPECT_TRUE(run(engine::stop_container(far(), id, Seconds{1})));
  until_state(id, "exited");
  EXPECT_TRUE(run(engine::remove_container(far(), id, {.force = true})));
  until_state(id, "");
}

TEST_P(FleetWays, LogsStatisticsAndFactsAreRead) {
  if (!ready()) return;
  auto spec = shell("echo out; echo err >&2; exec sleep 600");
  spec.attach_stdin = spec.open_stdin = spec.stdin_once = false;
  auto id = must(engine::create_container(far(), fresh_name(), spec)).id;
  EXPECT_TRUE(run(engine::start_container(far(), id)));
  until_state(id, "running");
  auto stats = must(engine::container_stats(far(), id));
  auto reading = run(stats.next());
  ASSERT_TRUE(reading);
  EXPECT_GT(reading->memory_bytes, 0U);
  EXPECT_EQ(must(engine::inspect_container(far(), id)).state.status, "running");
  EXPECT_TRUE(run(engine::kill_container(far(), id, "SIGKILL")));
  auto log = run(read_log(far(), id));
  EXPECT_THAT(log, HasSubstr("out\n"));
  EXPECT_THAT(log, HasSubstr("err\n"));
}

TEST_P(FleetWays, TextsRunOnHostsThatAreReachedBySsh) {
  if (!ready()) return;
  auto kept = host();
  auto ran = run(kept->run_there("echo $((6 * 7))"));
  if (needs_ssh(GetParam())) {
    EXPECT_EQ(ran, "42\n");
  } else {
    ASSERT_FALSE(ran);
    EXPECT_EQ(ran.error().code, "host_without_shell");
  }
  EXPECT_TRUE(run(fleet_->remove(tester, "far")));
  EXPECT_EQ(run(kept->run_there("echo one")).error().code, "host_ended");
}

TEST_P(FleetWays, TheHostIsFoundBesideTheLocalOneAndStaysApart) {
  if (!ready()) return;
  auto name = fresh_name();
  auto id = must(engine::create_container(far(), name, sleeper())).id;
  until_state(id, "created");
  auto both = [&] {
    auto hosts = fleet_->hosts();
    ContainerQuery query{.words = {name}};
    auto rights = access::Rights::everywhere(access::Role::viewer);
    return find_containers(hosts, query, rights)->total == 2;
  };
  // One engine behind two hosts: the same container is there twice.
  run(async::until(both));
}

TEST_P(FleetWays, ATestOfItSucceedsStepByStep) {
  if (!ready()) return;
  auto probe = must(fleet_->probe("far"));
  for (const auto& step : probe.steps) {
    EXPECT_NE(step.state, ProbeStep::State::failed) << step.step << ": " << step.detail;
  }
  EXPECT_TRUE(probe.reached());
}

async::task<void> follow_log(std::shared_ptr<Host> host, std::string id, bool& began, bool& ended) {
  auto stream = co_await engine::container_logs(host->engine(), id, engine::Framing::multiplexed,
                                                {.follow = engine::Follow::yes});
  began = stream.has_value();
  if (!stream) co_return;
  auto frame = co_await async::attempt(stream->read(Milliseconds{0}));
  ended = !frame || !*frame;
}

TEST_P(FleetWays, RemovingItEndsItsStreams) {
  if (!ready()) return;
  auto id = must(engine::create_container(far(), fresh_name(), sleeper())).id;
  EXPECT_TRUE(run(engine::start_container(far(), id)));
  bool began = false;
  bool ended = false;
  async::TaskScope scope{executor()};
  scope.spawn("log", follow_log(host(), id, began, ended));
  run(async::until([&] { return began; }));
  EXPECT_FALSE(ended);
  EXPECT_TRUE(run(fleet_->remove(tester, "far")));
  run(async::until([&] { return ended; }));
  run(scope.join());
}

INSTANTIATE_TEST_SUITE_P(Every, FleetWays, testing::ValuesIn(transports), [](const auto& one) {
  return std::string{transport_names[static_cast<std::size_t>(one.param)]};
});

}  // namespace
}  // namespace gantry::fleet
