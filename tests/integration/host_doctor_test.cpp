// The doctor of hosts on the real engine: what changes on a machine is told the next time.
#include "access/audit_store.hpp"
#include "async/race.hpp"
#include "fleet/fleet.hpp"
#include "integration/real_engine.hpp"
#include "integration/relay.hpp"
#include "integration/ssh_server.hpp"
#include "monitor/doctors.hpp"
#include "storage/testing_fake.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::monitor {
namespace {

namespace fs = std::filesystem;
using doctor::State;
using testing::HasSubstr;
using testing::SizeIs;

const fleet::Actor tester{.name = "tester", .id = "1", .by = "local"};

/// A fleet whose host `local` is the real engine, and whose host `edge` is the same behind a socket
/// that the test can shut, open and take away.
class HostDoctorOnAnEngine : public RealEngine {
 protected:
  void SetUp() override {
    RealEngine::SetUp();
    if (!usable()) return;
    begin();
    listen();
    must(fleet_->add(tester, {.name = "edge", .endpoint = "unix://" + socket_.string()}));
  }
  void TearDown() override {
    if (usable()) end();
    relay_.reset();
    RealEngine::TearDown();
  }

  /// The server's parts that have to do with it, as they are made at its start.
  void begin() {
    database_ = run(storage::open({}, folder_.path() / "data"));
    run(access::audit::migrate(*database_));
    fleet_ = std::make_unique<fleet::Fleet>(
        executor(), *database_,
        fleet::Fleet::Settings{.local = {client_->endpoint(), {}},
                               .sealer = Sealer{Secret{std::string(Sealer::key_bytes, 'k')}},
                               .ssh = {.known_hosts = (folder_.path() / "known_hosts").string()}});
    run(fleet_->start());
    Doctors::Settings settings;
    settings.fresh = Milliseconds{0};
    settings.environment.docker_folder = folder_.path() / "docker";
    doctors_ = std::make_unique<Doctors>(executor(), *database_, *fleet_, std::move(settings));
    run(doctors_->start());
  }
  void end() {
    run(doctors_->close());
    run(fleet_->close());
    doctors_.reset();
    fleet_.reset();
    database_.reset();
  }
  void listen() {
    relay_.reset();
    relay_ = std::make_unique<Relay>(loop_, net::dialer(executor(), client_->endpoint()), socket_);
    fs::permissions(socket_, fs::perms::owner_read | fs::perms::owner_write);
  }

  Examination examine(std::string_view host) { return must(doctors_->examine(fleet_->find(host))); }
  async::task<void> ask(std::vector<Examination>& into) {
    into.push_back(value_or_throw(co_await doctors_->examine(fleet_->find("edge"))));
  }
  /// `socket_mode: ok, failed`
  static std::vector<std::string> told(const Examination& examination) {
    std::vector<std::string> lines;
    for (const auto& [before, after] : examination.changes) {
      lines.push_back(fmt::format("{}: {}, {}", after->id, doctor::word(before->state),
                                  doctor::word(after->state)));
    }
    return lines;
  }
  static State state_of(const Examination& examination, std::string_view id) {
    for (const auto& one : examination.report.results) {
      if (one.check->id == id) return one.finding.state;
    }
    ADD_FAILURE() << "there is no check " << id;
    return State::skipped;
  }

  storage::TemporaryFolder folder_;
  fs::path socket_ = folder_.path() / "edge.sock";
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<fleet::Fleet> fleet_;
  std::unique_ptr<Doctors> doctors_;
};

TEST_F(HostDoctorOnAnEngine, TellsOfTheEngineThatAnswers) {
  auto examination = examine("local");
  EXPECT_EQ(state_of(examination, "engine"), State::ok);
  EXPECT_EQ(examination.report.facts.subject.pid, ::getpid());
  EXPECT_EQ(examination.report.facts.endpoint.text, client_->endpoint().text());
  EXPECT_FALSE(examination.report.facts.engine.version.empty());
  EXPECT_FALSE(examination.since);
}

TEST_F(HostDoctorOnAnEngine, TellsThatASocketWasOpenedToEverybody) {
  auto before = examine("edge");
  EXPECT_EQ(state_of(before, "socket_mode"), State::ok);
  // Everybody may come as far as the socket.
  fs::permissions(folder_.path(), fs::perms{0711});
  fs::permissions(socket_, fs::perms::all & ~fs::perms::owner_exec & ~fs::perms::group_exec &
                               ~fs::perms::others_exec);
  auto after = examine("edge");
  EXPECT_EQ(after.since, before.report.facts.at);
  EXPECT_THAT(told(after), testing::Contains("socket_mode: ok, failed"));
  EXPECT_EQ(state_of(after, "engine"), State::ok);
}

TEST_F(HostDoctorOnAnEngine, TellsThatASocketIsGoneAndIsBack) {
  EXPECT_EQ(state_of(examine("edge"), "socket"), State::ok);
  relay_.reset();
  auto gone = told(examine("edge"));
  EXPECT_THAT(gone, testing::Contains("socket: ok, failed"));
  EXPECT_THAT(gone, testing::Not(testing::Contains(testing::EndsWith(", unseen"))));
  listen();
  auto back = told(examine("edge"));
  EXPECT_THAT(back, testing::Contains("socket: failed, ok"));
  EXPECT_THAT(back, testing::Not(testing::Contains(testing::StartsWith("api: "))));
}

TEST_F(HostDoctorOnAnEngine, KnowsWhatWasBeforeTheServerStopped) {
  auto before = examine("edge");
  end();
  relay_.reset();
  begin();
  auto after = examine("edge");
  EXPECT_EQ(after.since, before.report.facts.at);
  EXPECT_THAT(told(after), testing::Contains("socket: ok, failed"));
}

TEST_F(HostDoctorOnAnEngine, TellsWhyAMachineBehindSshIsAway) {
  if (auto missing = SshServer::missing()) {
    if (std::getenv("CI") != nullptr) FAIL() << *missing;
    GTEST_SKIP() << *missing;
  }
  // Nobody listens there any more.
  auto port = Relay{loop_, net::dialer(executor(), client_->endpoint())}.port();
  SshKeys keys{loop_};
  must(fleet_->add(tester, {.name = "off",
                            .endpoint = fmt::format("ssh://deploy@127.0.0.1:{}", port),
                            .ssh = fleet::HostWish::Ssh{.identity = keys.make("mine")}}));
  auto report = examine("off").report;
  EXPECT_EQ(report.facts.sight, doctor::Sight::engine);
  ASSERT_TRUE(report.facts.engine.error);
  EXPECT_EQ(report.facts.engine.error->code, "ssh_refused")
      << report.facts.engine.error->sentence();
  ASSERT_NE(report.cause(), nullptr);
  for (const auto& step : report.cause()->finding.remedy) {
    EXPECT_THAT(step.what + step.command, testing::Not(HasSubstr("restart")));
  }
}

TEST_F(HostDoctorOnAnEngine, LooksOnceForAllWhoAskMeanwhile) {
  std::vector<Examination> answers;
  run(async::both(ask(answers), async::both(ask(answers), ask(answers))));
  ASSERT_THAT(answers, SizeIs(3));
  for (const auto& answer : answers) {
    EXPECT_FALSE(answer.since);
    EXPECT_EQ(answer.report.facts.at, answers[0].report.facts.at);
  }
}

}  // namespace
}  // namespace gantry::monitor
