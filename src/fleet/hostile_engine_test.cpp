// An engine that answers whatever it likes: its own host is told to be away, nothing of it is
// followed, kept without bounds or taken for another's, and other hosts do not notice.
#include "access/audit_store.hpp"
#include "async/attempt.hpp"
#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"
#include "engine/system.hpp"
#include "fleet/fleet.hpp"
#include "fleet/log_hub.hpp"
#include "fleet/query.hpp"
#include "fleet/stats_hub.hpp"
#include "storage/testing_fake.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using engine::FakeDaemon;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* containers = "/containers/json?all=1";

/// A fleet over a real database with two hosts: `good`, whose engine is well, and `evil`.
class HostileEngine : public testing::Test {
 public:
  HostileEngine() {
    database_ = loop_.run(storage::open({}, folder_.path() / "data"));
    loop_.run(access::audit::migrate(*database_));
    auto local = value_or_throw(net::Endpoint::parse("unix:///run/good.sock"));
    fleet_ = std::make_unique<Fleet>(
        loop_.executor(), *database_,
        Fleet::Settings{.local = {local, {}},
                        .sealer = Sealer{Secret{std::string(Sealer::key_bytes, 'k')}},
                        .pace = {.first_retry = Milliseconds{5}, .gather = Milliseconds{5}},
                        .dial = [this](const HostReach& reach) {
                          bool is_good = reach.endpoint.path() == "/run/good.sock";
                          return (is_good ? good_ : evil_).server().connect();
                        }});
    loop_.run(fleet_->start());
    Actor ann{.name = "ann", .id = "1", .by = "session"};
    value_or_throw(
        loop_.run(fleet_->add(ann, {.name = "evil", .endpoint = "unix:///run/evil.sock"})));
  }
  ~HostileEngine() override { loop_.run(fleet_->close()); }

 protected:
  static std::string list_of(std::initializer_list<json::Object> items) {
    json::Array out;
    for (const auto& item : items) out.push_back(item);
    return json::serialize(out);
  }
  /// What an engine that is well has besides what a test has said of it before. Answers its events.
  static FakeDaemon::Script& complete(FakeDaemon& daemon) {
    daemon.expect("GET", "/info").reply(200, R"({"Name":"vm"})").always();
    auto& events = daemon.expect("GET", "/events*").stream(200, {}).stay_open().always();
    daemon.expect("GET", containers)
        .reply(200, list_of({FakeDaemon::container("aa", "web", "running")}))
        .always();
    daemon.expect("GET", "/images/json*").reply(200, "[]").always();
    daemon.expect("GET", "/networks*").reply(200, "[]").always();
    daemon.expect("GET", "/volumes*").reply(200, "{}").always();
    return events;
  }
  void supervise() {
    good_events_ = &complete(good_);
    evil_events_ = &complete(evil_);
    fleet_->supervise();
  }
  void until(std::function<bool()> reached) { loop_.run(async::until(std::move(reached))); }
  void until_both_are_connected() {
    until([this] {
      return good().state == EngineState::connected && evil().state == EngineState::connected;
    });
  }
  const HostView& good() const { return fleet_->find("local")->view(); }
  const HostView& evil() const { return fleet_->find("evil")->view(); }
  /// `host/name` of all containers, as a viewer of everything finds them.
  std::vector<std::string> found() const {
    auto rights = access::Rights::everywhere(access::Role::viewer);
    auto hosts = fleet_->hosts();
    auto page = value_or_throw(find_containers(hosts, {}, rights));
    std::vector<std::string> out;
    for (const auto& item : page.items) {
      out.push_back(fmt::format("{}/{}", item.host->name(), item.container->name));
    }
    std::ranges::sort(out);
    return out;
  }
  /// How often `evil` was asked for something.
  std::size_t asked(std::string_view what) const {
    auto requests = evil_.requests();
    return static_cast<std::size_t>(
        std::ranges::count_if(requests, [&](const auto& one) { return one.contains(what); }));
  }

  storage::TemporaryFolder folder_;
  async::TestLoop loop_;
  FakeDaemon good_;
  FakeDaemon evil_;
  FakeDaemon::Script* good_events_ = nullptr;
  FakeDaemon::Script* evil_events_ = nullptr;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Fleet> fleet_;
};

/// Bytes instead of an answer to the list of containers, and by what code the host is away.
struct HostileList {
  std::string name;
  std::function<void(FakeDaemon::Script&)> answer;
  std::string code;
};

std::function<void(FakeDaemon::Script&)> raw(std::string bytes) {
  return [bytes](FakeDaemon::Script& script) { script.raw({bytes}).then_close(); };
}

std::function<void(FakeDaemon::Script&)> body(std::string text) {
  return [text](FakeDaemon::Script& script) { script.reply(200, text); };
}

const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

std::vector<HostileList> hostile_lists() {
  return {
      {"ARedirect",
       [](auto& script) { script.reply(302, "", {{"Location", "http://169.254.169.254/"}}); },
       "engine_redirected"},
      {"ALengthWithoutEnd", raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n["),
       "engine_answer_too_large"},
      {"AChunkWithoutEnd", raw(chunked + "fffffffff\r\n["), "engine_unreachable"},
      {"AChunkOfNoLength", raw(chunked + "-1\r\n["), "engine_unreachable"},
      {"AnEndInTheMidstOfAChunk", raw(chunked + "20\r\n[{\"Id\":"), "engine_unreachable"},
      {"ADepthBomb", body(std::string(100'000, '[')), "engine_answer_malformed"},
      {"AnObjectForAList", body("{}"), "engine_answer_malformed"},
      {"NoJson", body("<html>"), "engine_answer_malformed"},
      {"IdsThatAreNone", body(R"([{"Id":"../../version"}])"), "engine_answer_malformed"},
      {"NumbersForTexts", body(fmt::format(R"([{{"Id":"{}","State":7}}])", FakeDaemon::id("aa"))),
       "engine_answer_malformed"},
  };
}

class HostileLists : public HostileEngine, public testing::WithParamInterface<HostileList> {};

TEST_P(HostileLists, PutOnlyTheirOwnHostAway) {
  GetParam().answer(evil_.expect("GET", containers).always());
  supervise();
  until([this] { return evil().error.has_value() && good().state == EngineState::connected; });
  EXPECT_EQ(evil().state, EngineState::unreachable);
  EXPECT_EQ(evil().error->code, GetParam().code) << evil().error->sentence();
  EXPECT_THAT(found(), ElementsAre("local/web"));
  EXPECT_THAT(evil_.server().unexpected(), IsEmpty());
  // The good one goes on living.
  good_.expect("GET", "/containers/json*").reply(200, "[]");
  good_events_->push(FakeDaemon::event("die", "aa"));
  until([this] { return good().containers.empty(); });
}

INSTANTIATE_TEST_SUITE_P(Every, HostileLists, testing::ValuesIn(hostile_lists()),
                         [](const auto& one) { return one.param.name; });

TEST_F(HostileEngine, AnAnswerThatComesTwiceAnswersNothingElse) {
  auto image = fmt::format(R"([{{"Id":"sha256:{}","RepoTags":["evil:1"]}}])", FakeDaemon::id("ee"));
  auto twice = fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"
      "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}",
      image.size(), image);
  evil_.expect("GET", containers).raw({twice}).always();
  supervise();
  until_both_are_connected();
  until([this] { return asked("/networks") > 0 && asked("/volumes") > 0; });
  EXPECT_THAT(evil().images, IsEmpty());
  EXPECT_THAT(evil().containers, IsEmpty());
}

TEST_F(HostileEngine, AnAnswerThatComesTooLateHasNowhereToGo) {
  evil_.expect("GET", "/info").hang();
  auto client = evil_.client(loop_.executor());
  engine::Request request;
  request.doing = {"read", "facts", ""};
  request.path = {"info"};
  request.patience = Milliseconds{50};
  auto late = loop_.run(async::attempt(client->call(request)));
  EXPECT_EQ(late.error().code, "engine_timed_out");
  until([this] { return evil_.server().open_connections() == 0; });
  evil_.expect("GET", "/info").reply(200, R"({"Name":"vm"})");
  EXPECT_EQ(value_or_throw(loop_.run(engine::info(*client))).name, "vm");
}

TEST_F(HostileEngine, AnIdThatIsThereTwiceIsShownOnce) {
  evil_.expect("GET", containers)
      .reply(200, list_of({FakeDaemon::container("bb", "one", "running"),
                           FakeDaemon::container("cc", "two", "running"),
                           FakeDaemon::container("bb", "again", "exited")}))
      .always();
  // Docker 23 with containerd's images tells an image of two names in this way.
  auto image = [](std::string_view tag, std::string_view digest) {
    return fmt::format(R"({{"Id":"sha256:{}","RepoTags":["{}"],"RepoDigests":["{}"]}})",
                       FakeDaemon::id("ee"), tag, digest);
  };
  evil_.expect("GET", "/images/json*")
      .reply(200, fmt::format("[{},{},{}]", image("a:1", "a@sha256:1"), image("b:2", "b@sha256:1"),
                              image("a:1", "a@sha256:1")));
  evil_.expect("GET", "/networks*")
      .reply(200, R"([{"Id":"n1","Name":"a"},{"Id":"n1","Name":"b"}])");
  evil_.expect("GET", "/volumes*").reply(200, R"({"Volumes":[{"Name":"v"},{"Name":"v"}]})");
  supervise();
  until_both_are_connected();
  EXPECT_THAT(found(), ElementsAre("evil/one", "evil/two", "local/web"));
  until([this] { return !evil().volumes.empty(); });
  ASSERT_EQ(evil().images.size(), 1U);
  EXPECT_THAT(evil().images[0].tags, ElementsAre("a:1", "b:2"));
  EXPECT_THAT(evil().images[0].digests, ElementsAre("a@sha256:1", "b@sha256:1"));
  EXPECT_EQ(evil().networks.size(), 1U);
  EXPECT_EQ(evil().volumes.size(), 1U);
}

TEST_F(HostileEngine, WhatItSaysOfAnotherHostsContainerIsOfItsOwn) {
  supervise();
  until_both_are_connected();
  EXPECT_THAT(found(), ElementsAre("evil/web", "local/web"));
  evil_events_->push(FakeDaemon::event("destroy", "aa"));
  until([this] { return evil().containers.empty(); });
  EXPECT_THAT(found(), ElementsAre("local/web"));
  EXPECT_THAT(good_.requests(), Not(Contains(HasSubstr("/containers/json?all=1&filters"))));
}

TEST_F(HostileEngine, LargeLabelsAreNotKept) {
  auto container = FakeDaemon::container("aa", "web", "running");
  json::Object labels;
  for (int i = 0; i < 8; ++i) labels[fmt::format("n{}", i)] = std::string(1U << 20U, 'x');
  labels[std::string(1U << 20U, 'k')] = "v";
  container["Labels"] = labels;
  evil_.expect("GET", containers).reply(200, list_of({container})).always();
  supervise();
  until_both_are_connected();
  ASSERT_EQ(evil().containers.size(), 1U);
  std::size_t kept = 0;
  for (const auto [name, value] : evil().containers[0].labels) kept += name.size() + value.size();
  EXPECT_LT(kept, 256U << 10U);
}

TEST_F(HostileEngine, AFloodOfEventsIsAskedAboutSeldomAndKeptInBounds) {
  supervise();
  until_both_are_connected();
  constexpr std::array<std::string_view, 5> times{"-9223372036854775808", "-1", "0",
                                                  "9223372036854775807", "253402300800"};
  auto before = fleet_->events().last();
  for (int piece = 0; piece < 20; ++piece) {
    std::string lines;
    for (int i = 0; i < 250; ++i) {
      auto id = FakeDaemon::id(fmt::format("{:x}", 0x1000 + i));
      lines +=
          fmt::format(R"({{"Type":"container","Action":"rename","Actor":{{"ID":"{}"}},"time":{}}})"
                      "\n",
                      id, times[static_cast<std::size_t>(i) % times.size()]);
    }
    evil_events_->push(std::move(lines));
  }
  until([&] { return fleet_->events().last() >= before + 5'000; });
  EXPECT_LT(asked("/containers/json"), 20U);
  auto page = fleet_->events().after(before, 10'000);
  EXPECT_LE(page.events.size(), EventLog::host_events_max + 10);
  for (const auto* event : page.events) {
    EXPECT_GE(event->at, WallTime{});
    EXPECT_LE(rfc3339(event->at), "2200-01-01T00:00:00.000Z");
  }
  EXPECT_EQ(evil().state, EngineState::connected);
  EXPECT_THAT(found(), ElementsAre("evil/web", "local/web"));
}

class HostileStreams : public HostileEngine {
 protected:
  HostileStreams() {
    evil_.expect("GET", fmt::format("/containers/{}/json", id_))
        .reply(200, fmt::format(R"({{"Id":"{}","Name":"/web","Config":{{"Tty":false}}}})", id_))
        .always();
  }
  ~HostileStreams() override {
    loop_.run(logs_.close());
    loop_.run(stats_.close());
  }
  /// How a follower of this log ends.
  std::string end_of_log(const std::string& bytes) {
    evil_.expect("GET", fmt::format("/containers/{}/logs*", id_)).stream(200, {bytes}).always();
    auto followed = loop_.run(async::attempt(logs_.follow(host(), id_, {})));
    if (!followed) return followed.error().code;
    for (;;) {
      auto news = loop_.run(async::attempt((*followed)->next()));
      if (!news) return news.error().code;
      if (!*news) return "ended";
    }
  }
  /// The first reading that a watcher is told of these; nothing when it is told of a failure.
  std::optional<engine::Stats> reading(std::string text) {
    evil_.expect("GET", fmt::format("/containers/{}/stats*", id_)).stream(200, {text + "\n"});
    auto watcher = loop_.run(async::attempt(stats_.watch(host(), id_)));
    if (!watcher) return std::nullopt;
    auto told = loop_.run(async::attempt((*watcher)->next()));
    return told ? *told : std::nullopt;
  }
  std::shared_ptr<Host> host() const { return fleet_->find("evil"); }

  std::string id_ = FakeDaemon::id("aa");
  LogHub logs_{loop_.executor()};
  StatsHub stats_{loop_.executor()};
};

TEST_F(HostileStreams, AFrameOfImpossibleLengthEndsTheLog) {
  EXPECT_EQ(end_of_log(std::string{"\1\0\0\0\xff\xff\xff\xff", 8}), "engine_stream_broken");
}

TEST_F(HostileStreams, AFrameOfNoStreamEndsTheLog) {
  EXPECT_EQ(end_of_log(std::string{"\7\0\0\0\0\0\0\1x", 9}), "engine_stream_broken");
}

TEST_F(HostileStreams, AFrameThatIsCutOffIsNoEndOfTheLog) {
  EXPECT_EQ(end_of_log(std::string{"\1\0\0\0\0\0\0\x9xyz", 11}), "engine_stream_broken");
}

TEST_F(HostileStreams, ReadingsBeyondAllBoundsAreNumbers) {
  auto told = reading(R"({"precpu_stats":{"cpu_usage":{"total_usage":1},"system_cpu_usage":1},)"
                      R"("cpu_stats":{"cpu_usage":{"total_usage":18446744073709551615},)"
                      R"("system_cpu_usage":2,"online_cpus":18446744073709551615},)"
                      R"("memory_stats":{"usage":1,"limit":18446744073709551615,)"
                      R"("stats":{"inactive_file":18446744073709551615}},)"
                      R"("networks":{"a":{"rx_bytes":18446744073709551615,"tx_bytes":-1},)"
                      R"("b":{"rx_bytes":18446744073709551615,"tx_bytes":1e300}}})");
  ASSERT_TRUE(told);
  ASSERT_TRUE(told->cpu_percent());
  EXPECT_TRUE(std::isfinite(*told->cpu_percent()));
  EXPECT_GE(*told->cpu_percent(), 0.0);
  EXPECT_LE(told->memory_bytes, 1U);
}

TEST_F(HostileStreams, ReadingsThatAreNoNumbersAreNone) {
  EXPECT_FALSE(reading(R"({"memory_stats":{"usage":NaN,"limit":1}})"));
  EXPECT_FALSE(reading(R"({"memory_stats":{"usage":Infinity,"limit":1}})"));
}

}  // namespace
}  // namespace gantry::fleet
