#include "fleet/link.hpp"

#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <algorithm>

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
                                  .between_lists = Milliseconds{1},
                                  .relist = Milliseconds{60'000},
                                  .doubts_max = 4}};

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
  /// Tests that are about images, networks or volumes have said so before.
  void supervise() {
    daemon_.expect("GET", "/images/json*").reply(200, "[]").always();
    daemon_.expect("GET", "/networks*").reply(200, "[]").always();
    daemon_.expect("GET", "/volumes*").reply(200, R"({"Volumes":[]})").always();
    scope_.spawn("link", link_.supervise());
  }
  /// How often the engine was asked about containers.
  std::size_t asked() const {
    auto is_about_containers = [](const std::string& request) {
      return request.find("/containers/") != std::string::npos;
    };
    return static_cast<std::size_t>(std::ranges::count_if(daemon_.requests(), is_about_containers));
  }
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
  events.push(FakeDaemon::event("die", "bb"));
  // Other lists are new versions, too: what is waited for is what the event told.
  until([&] { return shown() == std::vector<std::string>{"db exited", "web running"}; });
  EXPECT_THAT(daemon_.requests(),
              testing::Contains(testing::AllOf(testing::HasSubstr("/containers/"),
                                               testing::HasSubstr(FakeDaemon::id("bb")))));
}

TEST_F(FleetLink, AContainerThatHasEndedIsAskedAboutUntilTheEngineListsItSo) {
  auto& events = expect_events();
  expect_list({FakeDaemon::container("aa", "web", "running")});
  for (int i = 0; i < 3; ++i) expect_look_up({FakeDaemon::container("aa", "web", "running")});
  auto& told = expect_look_up({FakeDaemon::container("aa", "web", "exited")});
  supervise();
  until_connected();
  events.push(FakeDaemon::event("start", "aa") + FakeDaemon::event("die", "aa"));
  until([&] { return shown() == std::vector<std::string>{"web exited"}; });
  EXPECT_EQ(told.used(), 1U);
  EXPECT_THAT(daemon_.server().unexpected(), IsEmpty());
}

TEST_F(FleetLink, ManyThatHaveEndedAreListedUntilTheEngineSaysSo) {
  auto& events = expect_events();
  auto running = {FakeDaemon::container("aa", "a", "running"),
                  FakeDaemon::container("bb", "b", "running"),
                  FakeDaemon::container("cc", "c", "running")};
  auto exited = {FakeDaemon::container("aa", "a", "exited"),
                 FakeDaemon::container("bb", "b", "exited"),
                 FakeDaemon::container("cc", "c", "exited")};
  for (int i = 0; i < 3; ++i) expect_list(running);
  expect_list(exited);
  supervise();
  until_connected();
  events.push(FakeDaemon::event("die", "aa") + FakeDaemon::event("die", "bb") +
              FakeDaemon::event("die", "cc"));
  until([&] { return shown() == std::vector<std::string>{"c exited", "b exited", "a exited"}; });
}

TEST_F(FleetLink, AContainerThatRunsAgainIsNotDoubted) {
  auto& events = expect_events();
  expect_list({FakeDaemon::container("aa", "web", "running"),
               FakeDaemon::container("bb", "db", "running")});
  expect_look_up({FakeDaemon::container("aa", "web", "running")});
  auto& other = expect_look_up({});
  supervise();
  until_connected();
  auto before = asked();
  events.push(FakeDaemon::event("die", "aa") + FakeDaemon::event("start", "aa"));
  until([&] { return asked() == before + 1; });
  loop_.run(async::pause(Milliseconds{60}));
  EXPECT_EQ(other.used(), 0U);
}

TEST_F(FleetLink, AnEngineThatGoesOnSayingSoIsBelieved) {
  auto& events = expect_events();
  expect_list({FakeDaemon::container("aa", "web", "running")});
  expect_look_up({FakeDaemon::container("aa", "web", "running")}).always();
  supervise();
  until_connected();
  auto before = asked();
  events.push(FakeDaemon::event("die", "aa"));
  until([&] { return asked() == before + 1 + quick.pace.doubts_max; });
  loop_.run(async::pause(Milliseconds{60}));
  EXPECT_EQ(asked(), before + 1 + quick.pace.doubts_max);
}

TEST_F(FleetLink, AContainerThatWasRemovedNeedsNoQuestion) {
  auto& events = expect_events();
  expect_list({FakeDaemon::container("aa", "web", "running")});
  supervise();
  until_connected();
  auto before = asked();
  events.push(FakeDaemon::event("die", "aa") + FakeDaemon::event("destroy", "aa"));
  until([&] { return link_.view().containers.empty(); });
  EXPECT_EQ(asked(), before);
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
  auto before = asked();
  events.push(FakeDaemon::event("exec_start: true", "bb") + FakeDaemon::event("start", "aa"));
  until([&] { return !link_.view().containers.empty(); });
  EXPECT_EQ(asked(), before + 1);
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
  EXPECT_GT(link_.version(), version);
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

TEST_F(FleetLink, ImagesNetworksAndVolumesAreListedToo) {
  expect_events();
  expect_list({});
  json::Array images{json::Object{{"Id", "sha256:" + FakeDaemon::id("1")},
                                  {"RepoTags", json::Array{"gantry/sh:latest"}}}};
  daemon_.expect("GET", "/images/json*").reply(200, json::serialize(images));
  daemon_.expect("GET", "/networks*")
      .reply(200, R"([{"Id":"n2","Name":"b"},{"Id":"n1","Name":"a"}])");
  daemon_.expect("GET", "/volumes*").reply(200, R"({"Volumes":[{"Name":"data"}]})");
  supervise();
  until([this] { return !link_.view().volumes.empty(); });
  const auto& view = link_.view();
  ASSERT_EQ(view.images.size(), 1U);
  EXPECT_THAT(view.images[0].tags, ElementsAre("gantry/sh:latest"));
  EXPECT_EQ(view.networks[0].name, "a");
  EXPECT_EQ(view.volumes[0].name, "data");
  EXPECT_THAT(view.warnings, IsEmpty());
}

TEST_F(FleetLink, WhatAnEngineWritesIntoItsListsIsCut) {
  expect_events();
  expect_list({});
  std::string much(100'000, 'x');
  json::Object pairs;
  for (int i = 0; i < 1'000; ++i) pairs["n" + std::to_string(i)] = much.substr(0, 1'000);
  json::Array image{json::Object{
      {"Id", "sha256:" + FakeDaemon::id("1")}, {"RepoTags", json::Array{much}}, {"Labels", pairs}}};
  json::Object network{{"Name", much}, {"Driver", much}, {"Options", pairs}, {"Labels", pairs}};
  json::Object volume{{"Name", much}, {"Mountpoint", much}, {"Options", pairs}, {"Labels", pairs}};
  daemon_.expect("GET", "/images/json*").reply(200, json::serialize(image));
  daemon_.expect("GET", "/networks*").reply(200, json::serialize(json::Array{network}));
  daemon_.expect("GET", "/volumes*")
      .reply(200, json::serialize(json::Object{{"Volumes", json::Array{volume}}}));
  supervise();
  until([this] { return !link_.view().volumes.empty(); });
  const auto& view = link_.view();
  EXPECT_LE(view.images.at(0).tags.at(0).size(), 520U);
  EXPECT_LE(view.images.at(0).labels.size(), 40U);
  EXPECT_LE(view.networks.at(0).name.size(), 260U);
  EXPECT_LE(view.networks.at(0).driver.size(), 520U);
  EXPECT_LE(view.networks.at(0).options.size(), 40U);
  EXPECT_LE(view.networks.at(0).labels.size(), 40U);
  EXPECT_LE(view.volumes.at(0).name.size(), 260U);
  EXPECT_LE(view.volumes.at(0).mountpoint.size(), 520U);
  EXPECT_LE(view.volumes.at(0).options.size(), 40U);
  EXPECT_LE(view.volumes.at(0).labels.size(), 40U);
}

TEST_F(FleetLink, AnEventAboutAVolumeListsTheVolumesAgain) {
  auto& events = expect_events();
  expect_list({});
  auto& first = daemon_.expect("GET", "/volumes*").reply(200, R"({"Volumes":[]})");
  daemon_.expect("GET", "/volumes*").reply(200, R"({"Volumes":[{"Name":"data"}]})");
  supervise();
  until([&] { return first.used() == 1; });
  events.push(R"({"Type":"volume","Action":"create","Actor":{"ID":"data"},"time":1})"
              "\n");
  until([this] { return !link_.view().volumes.empty(); });
}

TEST_F(FleetLink, AListThatTheEngineRefusesIsAWarningAndNoBrokenLink) {
  expect_events();
  expect_list({FakeDaemon::container("aa", "web", "running")});
  daemon_.expect("GET", "/images/json*").reply(403, R"({"message":"not through this proxy"})");
  supervise();
  until([this] { return !link_.view().warnings.empty(); });
  EXPECT_EQ(link_.view().state, EngineState::connected);
  EXPECT_THAT(link_.view().warnings, ElementsAre(testing::HasSubstr("not through this proxy")));
  EXPECT_THAT(shown(), ElementsAre("web running"));
}

/// A link that asks a silent engine often, and gives it little time.
class FleetLinkOfAHangingEngine : public FleetLink {
 protected:
  FleetLinkOfAHangingEngine() {
    auto impatient = quick;
    impatient.pace.ping_interval = Milliseconds{10};
    impatient.pace.ping_patience = Milliseconds{50};
    impatient_ = std::make_unique<Link>(loop_.executor(), *client_, Clock{}, impatient);
  }
  std::unique_ptr<Link> impatient_;
};

TEST_F(FleetLinkOfAHangingEngine, AnEngineThatHangsIsAwayAndItsViewStays) {
  expect_events();
  expect_list({FakeDaemon::container("aa", "web", "running")});
  daemon_.expect("GET", "/images/json*").reply(200, "[]").always();
  daemon_.expect("GET", "/networks*").reply(200, "[]").always();
  daemon_.expect("GET", "/volumes*").reply(200, "{}").always();
  daemon_.expect("GET", "/_ping").hang().always();
  scope_.spawn("link", impatient_->supervise());
  until([this] { return impatient_->view().state == EngineState::unreachable; });
  EXPECT_TRUE(impatient_->view().stale);
  EXPECT_EQ(impatient_->view().error->code, "engine_timed_out");
  EXPECT_EQ(impatient_->view().containers.size(), 1U);
}

TEST(FleetLinkHidden, WhatNobodyIsShownIsNeverAskedAbout) {
  async::TestLoop loop;
  FakeDaemon daemon;
  auto client = daemon.client(loop.executor());
  auto settings = quick;
  settings.hidden = [](std::string_view name, const std::map<std::string, std::string>&) {
    return name.starts_with("box-");
  };
  Link link{loop.executor(), *client, Clock{}, settings};
  daemon.expect("GET", "/info").reply(200, R"({"Name":"vm"})").always();
  auto& events = daemon.expect("GET", "/events*").stream(200, {}).stay_open();
  json::Array first{FakeDaemon::container("aa", "box-1", "running"),
                    FakeDaemon::container("bb", "web", "running")};
  daemon.expect("GET", "/containers/json?all=1").reply(200, json::serialize(first));
  json::Array later{FakeDaemon::container("bb", "web", "exited")};
  daemon.expect("GET", "/containers/json*").reply(200, json::serialize(later));
  async::TaskScope scope{loop.executor()};
  scope.spawn("link", link.supervise());
  loop.run(async::until([&] { return !link.view().stale; }));
  EXPECT_EQ(link.view().containers.size(), 1U);
  events.push(R"({"Type":"container","Action":"start","Actor":{"ID":")" + FakeDaemon::id("cc") +
              R"(","Attributes":{"name":"box-2"}},"time":1})"
              "\n" +
              FakeDaemon::event("die", "bb"));
  loop.run(async::until([&] { return link.view().containers[0].state == "exited"; }));
  for (const auto& request : daemon.requests()) {
    EXPECT_EQ(request.find(FakeDaemon::id("cc")), std::string::npos) << request;
  }
  loop.run(scope.close());
}

}  // namespace
}  // namespace gantry::fleet
