#include "monitor/doctors.hpp"

#include "access/audit_store.hpp"
#include "async/race.hpp"
#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"
#include "monitor/report_store.hpp"
#include "storage/testing_fake.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::monitor {
namespace {

using doctor::State;
using testing::IsEmpty;
using testing::SizeIs;

const fleet::Actor ann{.name = "ann", .id = "1", .by = "session"};

/// A socket that `mode` opens, and an engine behind it.
doctor::Facts facts_with(unsigned mode) {
  doctor::Facts facts;
  facts.subject = {.what = "this process",
                   .user = "ann",
                   .uid = 1000,
                   .account_groups = {1000, 998},
                   .process_groups = std::vector<doctor::Id>{1000, 998},
                   .pid = 812};
  facts.endpoint = {.source = "host 'local'", .text = "unix:///run/local.sock"};
  facts.socket = doctor::SocketFile{.path = "/run/local.sock",
                                    .kind = doctor::SocketFile::Kind::socket,
                                    .uid = 0,
                                    .gid = 998,
                                    .mode = mode,
                                    .owner = "root",
                                    .group = "docker"};
  facts.engine.version = "29.5.1";
  return facts;
}

std::string code_of(const Result<Examination>& answer) {
  return answer ? "answered" : answer.error().code;
}

const Difference* change_of(const Examination& examination, std::string_view id) {
  auto found = std::ranges::find_if(examination.changes,
                                    [&](const Difference& one) { return one.either().id == id; });
  return found == examination.changes.end() ? nullptr : &*found;
}

/// Doctors of a fleet over a real database; what they see is what the test says.
class DoctorsTest : public testing::Test {
 public:
  ~DoctorsTest() override {
    loop_.run(doctors_->close());
    loop_.run(fleet_->close());
  }

 protected:
  DoctorsTest() {
    loop_.run(access::audit::migrate(*database_));
    fleet_ = std::make_unique<fleet::Fleet>(
        loop_.executor(), *database_,
        fleet::Fleet::Settings{
            .local = {value_or_throw(net::Endpoint::parse("unix:///run/local.sock")), {}},
            .sealer = Sealer{Secret{std::string(Sealer::key_bytes, 'k')}},
            .dial = [this](const fleet::HostReach&) { return daemon_.server().connect(); }});
    loop_.run(fleet_->start());
    begin();
  }

  void begin(Doctors::Settings settings) {
    if (doctors_) loop_.run(doctors_->close());
    doctors_ =
        std::make_unique<Doctors>(loop_.executor(), *database_, *fleet_, std::move(settings));
    loop_.run(doctors_->start());
  }
  void begin(Milliseconds patience = Milliseconds{20'000}) {
    Doctors::Settings settings;
    settings.patience = patience;
    settings.fresh = fresh_;
    settings.clock = Clock{[this] { return now_; }};
    settings.look = [this](const std::shared_ptr<fleet::Host>&) { return look(); };
    begin(std::move(settings));
  }
  /// As the server does: by the ways that endpoints name.
  void begin_for_real() {
    Doctors::Settings settings;
    settings.environment.docker_folder = folder_.path() / "docker";
    begin(std::move(settings));
  }

  async::task<Result<doctor::Facts>> look() {
    ++looks_;
    while (held_) co_await released_.wait();
    facts_.at = WallTime{Milliseconds{1'000 * looks_}};
    co_return facts_;
  }
  void release() {
    held_ = false;
    released_.notify();
  }

  std::shared_ptr<fleet::Host> host(std::string_view name = "local") const {
    return fleet_->find(name);
  }
  std::shared_ptr<fleet::Host> add(std::string name, std::string endpoint) {
    return value_or_throw(
        loop_.run(fleet_->add(ann, {.name = std::move(name), .endpoint = std::move(endpoint)})));
  }
  Result<Examination> examine(std::string_view name = "local") {
    return loop_.run(doctors_->examine(host(name)));
  }
  async::task<void> ask(std::shared_ptr<fleet::Host> host) {
    ++asked_;
    answers_.push_back(co_await doctors_->examine(std::move(host)));
  }
  /// As `ask`, while something else happens once `looks` hosts are looked at.
  async::task<void> release_once_asked(int asked) {
    co_await async::until([this, asked] { return looks_ > 0 && asked_ == asked; });
    release();
  }
  async::task<void> remove_once_looked_at() {
    co_await async::until([this] { return looks_ > 0; });
    value_or_throw(co_await fleet_->remove(ann, "local"));
  }
  async::task<void> close_once_looked_at() {
    co_await async::until([this] { return looks_ > 0; });
    co_await doctors_->close();
  }
  async::task<void> until_looked_at(int looks) {
    return async::until([this, looks] { return looks_ == looks; });
  }
  std::optional<KeptReport> kept(const fleet::HostId& id) {
    return loop_.run(storage::transact(*database_, [&](storage::Transaction& transaction) {
      return report_store::find(transaction, id);
    }));
  }

  storage::TemporaryFolder folder_;
  async::TestLoop loop_;
  engine::FakeDaemon daemon_;
  std::unique_ptr<storage::Database> database_ =
      loop_.run(storage::open_for_test(folder_.path() / "data"));
  std::unique_ptr<fleet::Fleet> fleet_;
  std::unique_ptr<Doctors> doctors_;
  doctor::Facts facts_ = facts_with(0660);
  async::Event released_{loop_.executor()};
  bool held_ = false;
  /// So that every test but those of it examines anew.
  Milliseconds fresh_{0};
  WallTime now_{Milliseconds{1'800'000'000'000}};
  int looks_ = 0;
  int asked_ = 0;
  std::vector<Result<Examination>> answers_;
};

TEST_F(DoctorsTest, TheFirstReportHasNoneToBeComparedWith) {
  auto first = value_or_throw(examine());
  EXPECT_FALSE(first.since);
  EXPECT_THAT(first.changes, IsEmpty());
  EXPECT_FALSE(first.report.results.empty());
}

TEST_F(DoctorsTest, TheNextTellsWhatHasChanged) {
  auto first = value_or_throw(examine());
  facts_ = facts_with(0666);
  auto second = value_or_throw(examine());
  EXPECT_EQ(second.since, first.report.facts.at);
  const auto* change = change_of(second, "socket_mode");
  ASSERT_NE(change, nullptr);
  EXPECT_EQ(change->before->state, State::ok);
  EXPECT_EQ(change->after->state, State::failed);
  auto third = value_or_throw(examine());
  EXPECT_EQ(third.since, second.report.facts.at);
  EXPECT_THAT(third.changes, IsEmpty());
}

TEST_F(DoctorsTest, WhatItIsComparedWithOutlivesTheServer) {
  auto first = value_or_throw(examine());
  begin();
  facts_ = facts_with(0666);
  auto second = value_or_throw(examine());
  EXPECT_EQ(second.since, first.report.facts.at);
  EXPECT_NE(change_of(second, "socket_mode"), nullptr);
}

TEST_F(DoctorsTest, WhoAsksMeanwhileGetsTheSameAnswer) {
  held_ = true;
  loop_.run(async::both(async::both(ask(host()), ask(host())), release_once_asked(2)));
  EXPECT_EQ(looks_, 1);
  ASSERT_THAT(answers_, SizeIs(2));
  EXPECT_EQ(value_or_throw(answers_[0]).report.facts.at,
            value_or_throw(answers_[1]).report.facts.at);
  EXPECT_FALSE(answers_[1]->since);
  value_or_throw(examine());
  EXPECT_EQ(looks_, 2);
}

TEST_F(DoctorsTest, WhoGoesAwayEndsNothing) {
  held_ = true;
  loop_.run(async::race(ask(host()), until_looked_at(1)));
  EXPECT_THAT(answers_, IsEmpty());
  release();
  value_or_throw(examine());
  EXPECT_EQ(looks_, 1);
  EXPECT_TRUE(kept(host()->config().id));
}

TEST_F(DoctorsTest, WhatNobodyWaitsForIsNotWhatTheNextIsComparedWith) {
  add("edge", "unix:///run/edge.sock");
  auto first = value_or_throw(examine());
  facts_ = facts_with(0666);
  held_ = true;
  loop_.run(async::race(ask(host()), until_looked_at(2)));
  release();
  value_or_throw(examine("edge"));  // takes longer than what is left of the one before
  EXPECT_EQ(kept(host()->config().id)->at, first.report.facts.at);
  auto next = value_or_throw(examine());
  EXPECT_EQ(looks_, 4);
  EXPECT_NE(change_of(next, "socket_mode"), nullptr);
}

TEST_F(DoctorsTest, WhatItIsComparedWithStaysWhileNothingDiffers) {
  auto first = value_or_throw(examine());
  for (int again : {1, 2}) {
    auto next = value_or_throw(examine());
    EXPECT_EQ(next.since, first.report.facts.at) << again;
    EXPECT_THAT(next.changes, IsEmpty()) << again;
  }
}

TEST_F(DoctorsTest, WhatIsSeenForTheFirstTimeIsKeptFromThenOn) {
  auto good = facts_;
  facts_.engine.error = Error{ErrorKind::unavailable, "engine_not_running", "nobody listens", {}};
  auto away = value_or_throw(examine());
  facts_ = good;
  auto back = value_or_throw(examine());
  EXPECT_NE(change_of(back, "engine"), nullptr);
  EXPECT_EQ(change_of(back, "api"), nullptr);
  for (const auto& one : kept(host()->config().id)->outcomes) {
    if (one.id == "api") EXPECT_NE(one.state, State::unseen);
  }
}

TEST_F(DoctorsTest, AnotherEndpointIsAnotherMachine) {
  add("edge", "unix:///run/edge.sock");
  value_or_throw(examine("edge"));
  value_or_throw(loop_.run(fleet_->change(ann, "edge", {.endpoint = "unix:///run/other.sock"})));
  facts_ = facts_with(0666);
  auto moved = value_or_throw(examine("edge"));
  EXPECT_FALSE(moved.since);
  EXPECT_THAT(moved.changes, IsEmpty());
  facts_ = facts_with(0660);
  auto next = value_or_throw(examine("edge"));
  EXPECT_EQ(next.since, moved.report.facts.at);
  EXPECT_NE(change_of(next, "socket_mode"), nullptr);
}

TEST_F(DoctorsTest, AnotherJumpHostOrAnotherUserMayLeadToAnotherMachine) {
  add("edge", "ssh://ann@edge");
  value_or_throw(examine("edge"));
  EXPECT_TRUE(value_or_throw(examine("edge")).since);
  auto becomes = [&](fleet::HostWish wish) {
    value_or_throw(loop_.run(fleet_->change(ann, "edge", std::move(wish))));
    return value_or_throw(examine("edge")).since;
  };
  EXPECT_TRUE(becomes({.note = "in the cellar"}));
  EXPECT_FALSE(
      becomes({.ssh = fleet::HostWish::Ssh{.jumps = std::vector<std::string>{"bastion"}}}));
  EXPECT_TRUE(becomes({.note = "behind the bastion"}));
  EXPECT_FALSE(becomes({.endpoint = "ssh://bob@edge"}));
}

TEST_F(DoctorsTest, WhatCouldNotBeSeenHasTheDateOfWhenItWas) {
  auto first = value_or_throw(examine());
  auto good = facts_;
  facts_.engine.error = Error{ErrorKind::unavailable, "engine_not_running", "nobody listens", {}};
  auto away = value_or_throw(examine());
  const auto* gone = change_of(away, "engine");
  ASSERT_NE(gone, nullptr);
  EXPECT_EQ(gone->before->at, first.report.facts.at);
  EXPECT_EQ(gone->after->at, away.report.facts.at);
  facts_ = good;
  facts_.engine.components = {{"Engine", "18.9.1"}};
  auto old = value_or_throw(examine());
  const auto* versions = change_of(old, "versions");
  ASSERT_NE(versions, nullptr);
  EXPECT_EQ(versions->before->at, first.report.facts.at);
}

TEST_F(DoctorsTest, AnAnswerIsGivenAgainWhileItIsFresh) {
  fresh_ = Milliseconds{10'000};
  begin();
  auto first = value_or_throw(examine());
  now_ += Milliseconds{9'999};
  EXPECT_EQ(value_or_throw(examine()).report.facts.at, first.report.facts.at);
  EXPECT_EQ(looks_, 1);
  now_ += Milliseconds{1};
  EXPECT_NE(value_or_throw(examine()).report.facts.at, first.report.facts.at);
  EXPECT_EQ(looks_, 2);
  value_or_throw(loop_.run(fleet_->change(ann, "local", {.standing = fleet::Standing::disabled})));
  EXPECT_EQ(code_of(examine()), "host_disabled");
  value_or_throw(loop_.run(fleet_->change(ann, "local", {.standing = fleet::Standing::enabled})));
  value_or_throw(examine());
  EXPECT_EQ(looks_, 3);
}

TEST_F(DoctorsTest, ADisabledHostIsLeftAlone) {
  value_or_throw(loop_.run(fleet_->change(ann, "local", {.standing = fleet::Standing::disabled})));
  EXPECT_EQ(code_of(examine()), "host_disabled");
  EXPECT_EQ(looks_, 0);
}

TEST_F(DoctorsTest, AHostThatEndsMeanwhileHasNoReport) {
  held_ = true;
  auto id = host()->config().id;
  loop_.run(async::both(ask(host()), remove_once_looked_at()));
  ASSERT_THAT(answers_, SizeIs(1));
  EXPECT_EQ(code_of(answers_[0]), "host_ended");
  EXPECT_EQ(kept(id), std::nullopt);
}

TEST_F(DoctorsTest, WhatIsKeptOfARemovedHostGoes) {
  auto edge = add("edge", "unix:///run/edge.sock")->config().id;
  value_or_throw(examine("edge"));
  EXPECT_TRUE(kept(edge));
  value_or_throw(loop_.run(fleet_->remove(ann, "edge")));
  value_or_throw(examine());
  EXPECT_EQ(kept(edge), std::nullopt);
}

TEST_F(DoctorsTest, AHostThatDoesNotAnswerIsGivenUp) {
  begin(Milliseconds{20});
  held_ = true;
  auto answer = examine();
  EXPECT_EQ(code_of(answer), "timed_out");
  EXPECT_THAT(answer.error().message, testing::StartsWith("cannot examine host 'local': "));
}

TEST_F(DoctorsTest, WhoWaitsIsAnsweredWhenTheServerStops) {
  held_ = true;
  loop_.run(async::both(ask(host()), close_once_looked_at()));
  ASSERT_THAT(answers_, SizeIs(1));
  EXPECT_EQ(code_of(answers_[0]), "server_stopping");
  EXPECT_EQ(code_of(examine()), "server_stopping");
}

TEST_F(DoctorsTest, NotEveryHostIsLookedAtAtOnce) {
  held_ = true;
  async::TaskScope scope{loop_.executor()};
  for (int i = 0; i < 16; ++i) {
    scope.spawn("ask", ask(add(fmt::format("h{}", i), "unix:///run/h.sock")));
  }
  loop_.run(until_looked_at(16));
  EXPECT_EQ(code_of(examine()), "too_many_examinations");
  release();
  loop_.run(scope.join());
  EXPECT_THAT(answers_, SizeIs(16));
  EXPECT_EQ(code_of(examine()), "answered");
}

TEST_F(DoctorsTest, OfAHostOnThisMachineTheSocketIsLookedAt) {
  begin_for_real();
  auto socket = (folder_.path() / "none.sock").string();
  add("here", "unix://" + socket);
  auto report = value_or_throw(examine("here")).report;
  ASSERT_TRUE(report.facts.socket);
  EXPECT_EQ(report.facts.socket->path, socket);
  EXPECT_EQ(report.facts.endpoint.source, "the host's setting");
  ASSERT_TRUE(report.facts.engine.error);
  EXPECT_EQ(report.worst(), State::failed);
}

TEST_F(DoctorsTest, OfAHostBehindTcpItsEngineIsAsked) {
  begin_for_real();
  daemon_.expect("GET", "/info").reply(200, R"({"Name":"far","OperatingSystem":"Debian"})");
  daemon_.expect("GET", "/version").reply(200, R"({"Version":"27.1","ApiVersion":"1.46"})");
  add("far", "tcp://127.0.0.1:2375");
  auto report = value_or_throw(examine("far")).report;
  EXPECT_FALSE(report.facts.engine.error);
  EXPECT_EQ(report.facts.engine.version, "27.1");
  EXPECT_FALSE(report.facts.socket);
}

}  // namespace
}  // namespace gantry::monitor
