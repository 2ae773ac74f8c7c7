#include "fleet/link.hpp"

#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using engine::FakeDaemon;
using testing::ElementsAre;
using testing::IsEmpty;

const LinkSettings quick{.pace = {.first_retry = Milliseconds{5},
                                  .longest_retry = Milliseconds{20},
                                  .gather = Milliseconds{10},
                                  .single_lookups_max = 2,
                                  .relist = Milliseconds{60'000}}};

class FleetLink : public testing::Test {
 public:
  FleetLink() { daemon_.expect("GET", "/info").reply(200, R"({"Name":"vm","NCPU":2})").always(); }
  ~FleetLink() override { loop_.run(scope_.close()); }

 protected:
  static std::string list_of(std::initializer_list<json::Object> containers) {
    json::Array out;
    for (const auto& container : containers) out.push_back(container);
    return json::serialize(out);
  }
  FakeDaemon::Script& expect_list(std::initializer_list<json::Object> containers) {
    return daemon_.expect("GET", "/containers/json?all=1").reply(200, list_of(containers));
  }
  FakeDaemon::Script& expect_look_up(std::initializer_list<json::Object> containers) {
    return daemon_.expect("GET", "/containers/json*").reply(200, list_of(containers));
  }
  FakeDaemon::Script& expect_events() {
    return daemon_.expect("GET", "/events*").stream(200, {}).stay_open();
  }
  void supervise() { scope_.spawn("link", link_.supervise()); }
  void until(std::function<bool()> reached) { loop_.run(async::until(std::move(reached))); }
  void until_connected() {
    until([this] { return link_.view().state == EngineState::connected; });
  }
  std::vector<std::string> shown() const {
    std::vector<std::string> out;
    for (const auto& item : link_.view().containers) out.push_back(item.name + " " + item.state);
    return out;
  }

  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::unique_ptr<engine::Client> client_ = daemon_.client(loop_.executor());
  Link link_{loop_.executor(), *client_, Clock{[] { return WallTime{Milliseconds{42}}; }}, quick};
  async::TaskScope scope_{loop_.executor()};
};

TEST_F(FleetLink, KnowsNothingBeforeItIsSupervised) {
  EXPECT_EQ(link_.view().state, EngineState::connecting);
  EXPECT_TRUE(link_.view().stale);
  EXPECT_FALSE(link_.view().as_of);
  EXPECT_EQ(link_.view().endpoint, "unix:///run/fake.sock");
}

TEST_F(FleetLink, ListsOnceAndTellsTheFacts) {
  expect_events();
  expect_list({FakeDaemon::container("aa", "web", "running")});
  supervise();
  until_connected();
  EXPECT_THAT(shown(), ElementsAre("web running"));
  EXPECT_FALSE(link_.view().stale);
  EXPECT_EQ(link_.view().as_of, WallTime{Milliseconds{42}});
  EXPECT_EQ(link_.view().system->name, "vm");
  EXPECT_EQ(link_.view().api_version, engine::oldest_api);
}

TEST_F(FleetLink, AnEventMakesItLookAtThatContainerOnly) {
  auto& events = expect_events();
  expect_list({FakeDaemon::container("aa", "web", "running"),
               FakeDaemon::container("bb", "db", "running")});
  expect_look_up({FakeDaemon::container("bb", "db", "exited")});
  supervise();
  until_connected();
  auto before = link_.version();
  events.push(FakeDaemon::event("die", "bb"));
  until([&] { return link_.version() != before; });
  EXPECT_THAT(shown(), ElementsAre("db exited", "web running"));
  EXPECT_THAT(daemon_.requests().back(), testing::HasSubstr(FakeDaemon::id("bb")));
}

TEST_F(FleetLink, AContainerThatWasRemovedNeedsNoQuestion) {
  auto& events = expect_events();
  expect_list({FakeDaemon::container("aa", "web", "running")});
  supervise();
  until_connected();
  auto asked = daemon_.requests().size();
  events.push(FakeDaemon::event("die", "aa") + FakeDaemon::event("destroy", "aa"));
  until([&] { return link_.view().containers.empty(); });
  EXPECT_EQ(daemon_.requests().size(), asked);
}

TEST_F(FleetLink, AContainerThatIsGoneWhenAskedAboutIsRemoved) {
  auto& events = expect_events();
  expect_list({FakeDaemon::container("aa", "web", "running")});
  expect_look_up({});
  supervise();
  until_connected();
  events.push(FakeDaemon::event("die", "aa"));
  until([&] { return link_.view().containers.empty(); });
}

TEST_F(FleetLink, ManyEventsAtOnceAreOneList) {
  auto& events = expect_events();
  expect_list({});
  auto& second = expect_list({FakeDaemon::container("aa", "one", "running")});
  supervise();
  until_connected();
  std::string burst;
  for (auto* id : {"aa", "bb", "cc", "dd", "ee"}) burst += FakeDaemon::event("start", id);
  events.push(burst);
  until([&] { return !link_.view().containers.empty(); });
  EXPECT_EQ(second.used(), 1U);
  EXPECT_THAT(daemon_.server().unexpected(), IsEmpty());
}

TEST_F(FleetLink, HealthChecksAskNothing) {
  auto& events = expect_events();
  expect_list({});
  expect_look_up({FakeDaemon::container("aa", "web", "running")});
  supervise();
  until_connected();
  auto asked = daemon_.requests().size();
  events.push(FakeDaemon::event("exec_start: true", "bb") + FakeDaemon::event("start", "aa"));
  until([&] { return !link_.view().containers.empty(); });
  EXPECT_EQ(daemon_.requests().size(), asked + 1);
}

TEST_F(FleetLink, WhenTheLinkBreaksTheViewStaysAndIsStale) {
  auto& events = expect_events();
  expect_list({FakeDaemon::container("aa", "web", "running")});
  supervise();
  until_connected();
  daemon_.server().refuse_connections({ErrorKind::unavailable, "not_listening", "refused", ""});
  events.finish();
  until([&] { return link_.view().error && link_.view().error->code == "engine_not_running"; });
  EXPECT_EQ(link_.view().state, EngineState::unreachable);
  EXPECT_TRUE(link_.view().stale);
  EXPECT_THAT(shown(), ElementsAre("web running"));
  EXPECT_EQ(link_.view().system->name, "vm");
}

TEST_F(FleetLink, ItComesBackWhenTheEngineDoes) {
  daemon_.server().refuse_connections({ErrorKind::unavailable, "socket_missing", "missing", ""});
  expect_events();
  expect_list({FakeDaemon::container("aa", "web", "running")});
  supervise();
  until([&] { return link_.view().state == EngineState::unreachable; });
  auto version = link_.version();
  daemon_.server().accept_connections();
  until_connected();
  EXPECT_GT(link_.version(), version);
  EXPECT_FALSE(link_.view().error);
  EXPECT_FALSE(link_.view().stale);
}

TEST_F(FleetLink, TheSameFailureAgainIsNoChange) {
  daemon_.server().refuse_connections({ErrorKind::unavailable, "socket_missing", "missing", ""});
  supervise();
  until([&] { return link_.view().state == EngineState::unreachable; });
  auto version = link_.version();
  loop_.run(async::pause(Milliseconds{60}));
  EXPECT_EQ(link_.version(), version);
}

TEST_F(FleetLink, SomebodyWhoWaitsIsTold) {
  auto& events = expect_events();
  expect_list({FakeDaemon::container("aa", "web", "running")});
  supervise();
  until_connected();
  auto version = link_.version();
  events.push(FakeDaemon::event("destroy", "aa"));
  loop_.run(link_.changed());
  EXPECT_EQ(link_.version(), version + 1);
}

TEST_F(FleetLink, AListRefusedByTheEngineIsARetry) {
  expect_events();
  expect_events();
  daemon_.expect("GET", "/containers/json?all=1").reply(500, R"({"message":"containerd is gone"})");
  expect_list({});
  supervise();
  until([&] { return link_.view().state == EngineState::unreachable; });
  EXPECT_THAT(link_.view().error->message, testing::HasSubstr("containerd is gone"));
  until_connected();
}

}  // namespace
}  // namespace gantry::fleet
