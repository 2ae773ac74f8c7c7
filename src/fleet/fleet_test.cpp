#include "fleet/fleet.hpp"

#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "engine/containers.hpp"
#include "engine/fake_daemon_fake.hpp"
#include "storage/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using engine::FakeDaemon;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

using Texts = std::map<std::string, std::string>;

const Actor ann{.name = "ann", .id = "1", .by = "session"};

/// A fleet over a real database, whose endpoints `unix:///run/<n>.sock` are scripted daemons.
class FleetTest : public testing::Test {
 public:
  FleetTest() {
    database_ = loop_.run(storage::open({}, folder_.path() / "data"));
    loop_.run(access::audit::migrate(*database_));
    begin();
  }
  ~FleetTest() override { end(); }

 protected:
  void begin(std::string engine = "unix:///run/local.sock") {
    fleet_ = std::make_unique<Fleet>(
        loop_.executor(), *database_,
        Fleet::Settings{.local = {value_or_throw(net::Endpoint::parse(engine)), {}},
                        .sealer = Sealer{Secret{std::string(Sealer::key_bytes, key_)}},
                        .pace = {.first_retry = Milliseconds{5}, .gather = Milliseconds{5}},
                        .dial =
                            [this](const HostReach& reach) {
                              return daemons_[reach.endpoint.text()].server().connect();
                            },
                        .tailor = tailor_});
    loop_.run(fleet_->start());
  }
  void end() {
    if (fleet_) loop_.run(fleet_->close());
    fleet_.reset();
  }
  void restart(std::string engine) {
    end();
    begin(std::move(engine));
  }
  std::shared_ptr<Host> add(HostWish wish) {
    return value_or_throw(loop_.run(fleet_->add(ann, std::move(wish))));
  }
  std::shared_ptr<Host> change(std::string name, HostWish wish) {
    return value_or_throw(loop_.run(fleet_->change(ann, std::move(name), std::move(wish))));
  }
  std::string refused(async::task<Result<std::shared_ptr<Host>>> work) {
    auto answer = loop_.run(std::move(work));
    return answer ? "done" : answer.error().code;
  }
  static HostWish wish(std::string name) {
    return {.name = name, .endpoint = "unix:///run/" + name + ".sock"};
  }
  FakeDaemon& daemon(const std::string& name) { return daemons_["unix:///run/" + name + ".sock"]; }
  /// An engine with one container, whose events stay open.
  FakeDaemon::Script& run_engine(const std::string& name) {
    auto& one = daemon(name);
    one.expect("GET", "/info").reply(200, R"({"Name":"vm"})").always();
    auto& events = one.expect("GET", "/events*").stream(200, {}).stay_open();
    json::Array listed{FakeDaemon::container("aa", "web", "running")};
    one.expect("GET", "/containers/json?all=1").reply(200, json::serialize(listed)).always();
    one.expect("GET", "/images/json*").reply(200, "[]").always();
    one.expect("GET", "/networks*").reply(200, "[]").always();
    one.expect("GET", "/volumes*").reply(200, "{}").always();
    return events;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& host : fleet_->hosts()) names.push_back(host->name());
    return names;
  }
  /// `action target outcome` of the latest entries, newest first.
  std::vector<std::string> audited() {
    auto page = value_or_throw(
        loop_.run(storage::transact(*database_, [](storage::Transaction& transaction) {
          return access::audit::list(transaction, 50, {});
        })));
    std::vector<std::string> out;
    for (const auto& record : page.items) {
      out.push_back(record.entry.action + " " + record.entry.target);
      details_ += record.entry.details;
    }
    return out;
  }

  storage::TemporaryFolder folder_;
  async::TestLoop loop_;
  std::map<std::string, FakeDaemon> daemons_;
  std::unique_ptr<storage::Database> database_;
  Tailor tailor_;
  char key_ = 'k';
  std::unique_ptr<Fleet> fleet_;
  std::string details_;
};

TEST_F(FleetTest, TheLocalEngineIsRegisteredAtTheFirstStart) {
  EXPECT_THAT(names(), ElementsAre("local"));
  auto local = fleet_->find("local");
  EXPECT_EQ(local->config().endpoint.text(), "unix:///run/local.sock");
  EXPECT_EQ(fleet_->usual(), local);
  EXPECT_EQ(fleet_->local(), local);
  EXPECT_FALSE(fleet_->find("other"));
}

TEST_F(FleetTest, ItsEndpointFollowsTheOptionAndItsNameIsKept) {
  change("local", {.name = "here"});
  restart("unix:///run/moved.sock");
  EXPECT_THAT(names(), ElementsAre("here"));
  EXPECT_EQ(fleet_->find("here")->config().endpoint.text(), "unix:///run/moved.sock");
}

TEST_F(FleetTest, OnceRemovedItDoesNotComeBackByItself) {
  EXPECT_TRUE(loop_.run(fleet_->remove(ann, "local")));
  EXPECT_FALSE(fleet_->local());
  EXPECT_EQ(fleet_->local_view().state, EngineState::connecting);
  restart("unix:///run/local.sock");
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(FleetTest, HostsSurviveARestart) {
  auto one = wish("edge");
  one.labels = Texts{{"site", "berlin"}};
  one.groups = {{"far"}};
  auto id = add(one)->config().id;
  restart("unix:///run/local.sock");
  EXPECT_THAT(names(), ElementsAre("edge", "local"));
  EXPECT_EQ(fleet_->find("edge")->config().id, id);
  EXPECT_EQ(fleet_->find(id)->config().groups, std::vector<std::string>{"far"});
}

TEST_F(FleetTest, EveryChangeIsInTheAuditLogWithoutItsSecrets) {
  HostWish secret{.name = "far", .endpoint = "tcp://127.0.0.1:9", .note = "x"};
  add(secret);
  change("far", {.endpoint = "ssh://ann@far", .ssh = HostWish::Ssh{.password = "hunter2"}});
  EXPECT_TRUE(loop_.run(fleet_->remove(ann, "far")));
  EXPECT_EQ(refused(fleet_->change(ann, "far", {})), "no_such_host");
  EXPECT_THAT(audited(), ElementsAre("host.remove far", "host.change far", "host.add far"));
  EXPECT_THAT(details_, HasSubstr(R"("ssh":["password"])"));
  EXPECT_EQ(details_.find("hunter2"), std::string::npos);
}

TEST_F(FleetTest, ANameIsOneHostsAtATime) {
  add(wish("edge"));
  EXPECT_EQ(refused(fleet_->add(ann, wish("edge"))), "already_exists");
  EXPECT_EQ(refused(fleet_->change(ann, "edge", {.name = "local"})), "already_exists");
  EXPECT_THAT(names(), ElementsAre("edge", "local"));
}

TEST_F(FleetTest, ARenamedHostIsTheSameHost) {
  auto host = add(wish("edge"));
  change("edge", {.name = "far"});
  EXPECT_EQ(fleet_->find("far"), host);
  EXPECT_FALSE(fleet_->find("edge"));
  EXPECT_FALSE(host->ended());
}

TEST_F(FleetTest, OneHostIsTheDefault) {
  add(wish("edge"));
  change("edge", {.usual = HostConfig::Usual::yes});
  EXPECT_EQ(fleet_->usual()->name(), "edge");
  EXPECT_EQ(fleet_->find("local")->config().usual, HostConfig::Usual::no);
  restart("unix:///run/local.sock");
  EXPECT_EQ(fleet_->usual()->name(), "edge");
}

TEST_F(FleetTest, TwoHostsAreFollowedApart) {
  run_engine("local");
  run_engine("edge");
  add(wish("edge"));
  fleet_->supervise();
  loop_.run(async::until([this] {
    return !fleet_->find("local")->view().stale && !fleet_->find("edge")->view().stale;
  }));
  daemon("edge").server().refuse_connections(
      {ErrorKind::unavailable, "not_listening", "refused", {}});
  daemon("edge").server().drop_connections();
  loop_.run(async::until([this] { return fleet_->find("edge")->view().stale; }));
  EXPECT_EQ(fleet_->find("edge")->view().containers.size(), 1U);
  EXPECT_FALSE(fleet_->find("local")->view().stale);
}

TEST_F(FleetTest, AHostThatIsAddedLaterIsFollowedToo) {
  run_engine("edge");
  fleet_->supervise();
  auto version = fleet_->version();
  auto edge = add(wish("edge"));
  loop_.run(async::until([&] { return !edge->view().stale; }));
  EXPECT_GT(fleet_->version(), version);
}

async::task<void> follow_log(std::shared_ptr<Host> host, bool& ended) {
  engine::Request request{.doing = {"read", "log", "x"}, .path = {"containers", "x", "logs"}};
  auto response = value_or_throw(co_await host->engine().stream(std::move(request)));
  auto piece = co_await async::attempt(response.read(Milliseconds{0}));
  ended = !piece || piece->empty();
}

TEST_F(FleetTest, AHandleOutlivesItsHostAndItsStreamsEnd) {
  auto& log = daemon("edge").expect("GET", "/containers/x/logs*").stream(200, {}).stay_open();
  auto edge = add(wish("edge"));
  bool ended = false;
  async::TaskScope scope{loop_.executor()};
  scope.spawn("reader", follow_log(edge, ended));
  loop_.run(async::until([&] { return log.used() == 1; }));
  EXPECT_TRUE(loop_.run(fleet_->remove(ann, "edge")));
  loop_.run(async::until([&] { return ended; }));
  EXPECT_TRUE(edge->ended());
  auto asked = loop_.run(async::attempt(engine::start_container(edge->engine(), "x")));
  ASSERT_FALSE(asked);
  EXPECT_THAT(asked.error().message, HasSubstr("it was removed"));
  loop_.run(scope.join());
}

TEST_F(FleetTest, ADisabledHostKeepsItsViewAndIsNotUsed) {
  run_engine("edge");
  fleet_->supervise();
  auto edge = add(wish("edge"));
  loop_.run(async::until([&] { return !edge->view().stale; }));
  auto off = change("edge", {.standing = Standing::disabled});
  EXPECT_TRUE(edge->ended());
  EXPECT_EQ(off->view().state, EngineState::disabled);
  EXPECT_TRUE(off->view().stale);
  EXPECT_EQ(off->view().containers.size(), 1U);
  auto asked = loop_.run(async::attempt(engine::start_container(off->engine(), "x")));
  ASSERT_FALSE(asked);
  EXPECT_THAT(asked.error().message, HasSubstr("is disabled"));
  for (const auto* event : fleet_->events().after(0, 1'000).events) {
    EXPECT_FALSE(event->host_name.empty()) << event->action;
  }
  run_engine("edge");
  auto on = change("edge", {.standing = Standing::enabled});
  loop_.run(async::until([&] { return on->view().state == EngineState::connected; }));
}

TEST_F(FleetTest, ClearTextIsAStandingWarning) {
  auto host =
      add({.name = "bare", .endpoint = "tcp://10.1.2.3:2375", .clear_text = ClearText::allowed});
  EXPECT_THAT(host->warnings(), ElementsAre(HasSubstr("neither encrypted nor authenticated")));
}

TEST_F(FleetTest, ATestGoesStepByStep) {
  run_engine("edge");
  daemon("edge")
      .expect("GET", "/version")
      .reply(200, R"({"Version":"27.1","Os":"linux","Arch":"amd64"})");
  add(wish("edge"));
  auto probe = value_or_throw(loop_.run(fleet_->probe("edge")));
  EXPECT_TRUE(probe.reached());
  std::vector<std::string> steps;
  for (const auto& step : probe.steps) {
    steps.push_back(step.step + " " + std::string{word(step.state)});
  }
  EXPECT_THAT(steps,
              ElementsAre("resolve skipped", "connect ok", "host_key skipped",
                          "authenticate skipped", "forward skipped", "ping ok", "version ok"));
  EXPECT_EQ(probe.steps.back().detail, "27.1 on linux/amd64");
}

TEST_F(FleetTest, ATestTellsWhichStepFailedAndTheRemedy) {
  add(wish("edge"));
  daemon("edge").server().refuse_connections(
      {ErrorKind::unavailable, "socket_missing", "no such socket", "start it"});
  auto probe = value_or_throw(loop_.run(fleet_->probe("edge")));
  EXPECT_FALSE(probe.reached());
  EXPECT_EQ(probe.steps[1].state, ProbeStep::State::failed);
  EXPECT_EQ(probe.steps[1].code, "engine_socket_missing");
  EXPECT_FALSE(probe.steps[1].remedy.empty());
  EXPECT_EQ(probe.steps.back().state, ProbeStep::State::skipped);
}

TEST_F(FleetTest, EveryDiallerWearsWhatTheSettingsSay) {
  int made = 0;
  tailor_ = [&](const net::Endpoint& endpoint, net::SshTunnel* tunnel) {
    ++made;
    Error error{ErrorKind::unavailable, "socket_permission",
                fmt::format("cannot connect to '{}': {}", endpoint.text(),
                            tunnel == nullptr ? "explained" : "by SSH"),
                "the exact remedy"};
    return [error](const net::Connect&) { return refusing(error); };
  };
  restart("unix:///run/local.sock");
  auto edge = add(wish("edge"));
  fleet_->supervise();
  loop_.run(async::until([&] { return edge->view().error.has_value(); }));
  EXPECT_EQ(edge->view().error->code, "engine_permission_denied");
  EXPECT_THAT(edge->view().error->message, EndsWith(": explained"));
  EXPECT_EQ(edge->view().error->remedy, "the exact remedy");
  auto probe = value_or_throw(loop_.run(fleet_->probe("edge")));
  EXPECT_EQ(probe.steps[1].code, "engine_permission_denied");
  EXPECT_EQ(probe.steps[1].remedy, "the exact remedy");
  // One for each host, however often it is tested: a look at a far machine is a login.
  EXPECT_EQ(made, 2);
}

TEST_F(FleetTest, ATestOfAHostWhoseSecretsDoNotOpenSaysSo) {
  add({.name = "far", .endpoint = "ssh://ann@far", .ssh = HostWish::Ssh{.password = "secret"}});
  key_ = 'x';
  restart("unix:///run/local.sock");
  auto probe = value_or_throw(loop_.run(fleet_->probe("far")));
  EXPECT_EQ(probe.steps[1].state, ProbeStep::State::failed);
  EXPECT_THAT(probe.steps[1].detail, HasSubstr("cannot reach the engine on 'ssh://ann@far'"));
  EXPECT_EQ(probe.steps.back().state, ProbeStep::State::skipped);
}

TEST_F(FleetTest, OnlySshHostsHaveAKeyToTrust) {
  add(wish("edge"));
  auto trusted = loop_.run(fleet_->trust(ann, "edge", "SHA256:x"));
  ASSERT_FALSE(trusted);
  EXPECT_EQ(trusted.error().code, "no_host_key");
}

}  // namespace
}  // namespace gantry::fleet
