#include "sandbox/docker_executor.hpp"

#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"
#include "sandbox/embedded.hpp"
#include "sandbox/tar.hpp"
#include "sandbox/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using engine::FakeDaemon;
using net::ScriptedServer;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr std::int64_t now_seconds = 1'790'000'000;

/// An engine that is honest unless a test says otherwise: a container is what was asked for, and
/// the gantry-init in it says `words`.
class DockerExecutorTest : public testing::Test {
 protected:
  using Reply = ScriptedServer::Reply;
  using Seen = ScriptedServer::Seen;

  void TearDown() override {
    loop_.run(executor_.close());
    EXPECT_THAT(daemon_.server().unexpected(), IsEmpty());
  }

  void engine_has_the_image() {
    daemon_.expect("GET", "/images/*")
        .reply(200, fmt::format(R"({{"Id":"sha256:{}"}})", FakeDaemon::id("1")))
        .always();
  }
  /// The volume of gantry-init is there and filled.
  void engine_has_the_volume() {
    daemon_.expect("POST", "/volumes/create").reply(201, R"({"Name":"gantry-init"})").always();
    daemon_.expect("POST", "/containers/create?name=gantry-init-fill-*")
        .reply(201, created("f"))
        .always();
    daemon_.expect("GET", "/containers/" + FakeDaemon::id("f") + "/archive")
        .reply(200, init_volume_archive())
        .always();
    daemon_.expect("DELETE", "/containers/" + FakeDaemon::id("f")).reply(204).always();
  }
  void engine_makes_sandboxes() {
    daemon_.expect("POST", "/containers/create?name=gantry-sandbox-*")
        .reply_with([this](const Seen& request) {
          asked_ = value_or_throw(json::parse(request.body, json::Keys::tolerant)).as_object();
          return Reply{.status = 201, .body = created("5"), .headers = {}};
        })
        .always();
    daemon_.expect("GET", box_ + "/json")
        .reply_with([this](const Seen&) {
          return Reply{.status = 200, .body = json::serialize(inspected()), .headers = {}};
        })
        .always();
    daemon_.expect("DELETE", box_).reply(204).always();
    engine_ends_sandboxes(box_);
  }
  /// Killed or not, a container ends when it is waited for.
  void engine_ends_sandboxes(const std::string& container) {
    daemon_.expect("POST", container + "/kill").reply(204).always();
    daemon_.expect("POST", container + "/wait").reply(200, R"({"StatusCode":0})").always();
  }
  void engine_is_honest() {
    engine_has_the_image();
    engine_has_the_volume();
    engine_makes_sandboxes();
  }
  /// What is attached to says `words`, and ends when it has no verdict.
  void init_says(std::string words) {
    daemon_.expect("POST", box_ + "/attach").upgrade(101, {engine_frame(1, words)});
  }
  ScriptedServer::Script& start() { return daemon_.expect("POST", box_ + "/start"); }

  static std::string created(std::string_view id_begin) {
    return fmt::format(R"({{"Id":"{}","Warnings":[]}})", FakeDaemon::id(id_begin));
  }
  /// The container as the engine tells it, made of what was asked for.
  json::Object inspected() const {
    auto config = asked_;
    auto host = asked_.at("HostConfig").as_object();
    config.erase("HostConfig");
    json::Object state{{"Status", "created"}, {"OOMKilled", oom_killed_}, {"Error", state_error_}};
    if (privileged_) host["Privileged"] = true;
    json::Array mounts{json::Object{{"Type", "volume"},
                                    {"Name", host["Mounts"].as_array()[0].as_object()["Source"]},
                                    {"Destination", "/.gantry"},
                                    {"RW", false}}};
    return {{"Id", FakeDaemon::id("5")},
            {"State", state},
            {"Config", config},
            {"HostConfig", host},
            {"Mounts", mounts}};
  }
  Outcome execute(Policy policy = {}) {
    auto outcome = loop_.run(
        executor_.execute({ExecutionId{"e1"},
                           {.language = "sh", .image = "alpine:latest", .command = {"sh"}},
                           policy},
                          told_.observer()));
    loop_.run(executor_.settled());
    return outcome;
  }
  std::vector<std::string> requests_with(std::string_view words) const {
    auto requests = daemon_.requests();
    std::erase_if(requests, [&](const std::string& one) { return !one.contains(words); });
    return requests;
  }

  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::string box_ = "/containers/" + FakeDaemon::id("5");
  json::Object asked_;
  bool privileged_ = false;
  bool oom_killed_ = false;
  std::string state_error_;
  Told told_;
  std::unique_ptr<engine::Client> client_ = daemon_.client(loop_.executor());
  DockerExecutor executor_{
      loop_.executor(),
      *client_,
      {.owner = "server1", .clock = Clock{[] { return WallTime{Seconds{now_seconds}}; }}}};
};

TEST_F(DockerExecutorTest, AProgramRunsInAContainerThatIsGoneAfterwards) {
  engine_is_honest();
  init_says(init_frame('R', "\2") + init_frame('S') + init_frame('O', "hi") + verdict_frame(0));
  start().reply(204);
  auto outcome = execute();
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  EXPECT_EQ(outcome.served_image, "alpine:latest");
  EXPECT_FALSE(outcome.warm);
  EXPECT_THAT(told_.lines, ElementsAre("started", "out:hi"));
  EXPECT_THAT(requests_with("DELETE"), Contains(HasSubstr(box_ + "?force=1&v=1")));
}

TEST_F(DockerExecutorTest, ItAttachesBeforeItStartsSoThatNothingIsMissed) {
  engine_is_honest();
  init_says(verdict_frame(0));
  start().reply(204);
  execute();
  auto steps = requests_with(box_);
  EXPECT_THAT(steps, ElementsAre(HasSubstr("/json"), HasSubstr("/attach"), HasSubstr("/start"),
                                 HasSubstr("/wait"), StartsWith("DELETE")));
}

TEST_F(DockerExecutorTest, TheDeadlineOnItsLabelLeavesTimeToStart) {
  engine_is_honest();
  init_says(verdict_frame(0));
  start().reply(204);
  execute();
  EXPECT_EQ(asked_["Labels"].as_object()["io.gantry.deadline"],
            json::Value(std::to_string(now_seconds + 10 + 30 + 30 + 20)));
}

TEST_F(DockerExecutorTest, WhatTheEngineChangedIsNotStarted) {
  privileged_ = true;
  engine_is_honest();
  init_says(verdict_frame(0));
  auto outcome = execute();
  EXPECT_EQ(outcome.verdict, Verdict::infrastructure_error);
  EXPECT_THAT(outcome.message, HasSubstr("the engine changed it (privileged is true"));
  EXPECT_THAT(requests_with("/start"), IsEmpty());
  EXPECT_THAT(requests_with("DELETE"), Contains(HasSubstr(box_)));
}

TEST_F(DockerExecutorTest, ANameThatIsTakenMeansTheNextSlot) {
  engine_has_the_image();
  engine_has_the_volume();
  daemon_.expect("POST", "/containers/create?name=gantry-sandbox-*")
      .reply(409, R"({"message":"Conflict. The container name is already in use"})");
  engine_makes_sandboxes();
  init_says(verdict_frame(0));
  start().reply(204);
  EXPECT_EQ(execute().verdict, Verdict::ok);
  auto names = requests_with("name=gantry-sandbox-");
  ASSERT_EQ(names.size(), 2U);
  EXPECT_NE(names[0], names[1]);
}

TEST_F(DockerExecutorTest, WhenEveryNameIsTakenItGivesUp) {
  engine_has_the_image();
  engine_has_the_volume();
  daemon_.expect("POST", "/containers/create?name=gantry-sandbox-*")
      .reply(409, R"({"message":"Conflict. The container name is already in use"})")
      .always();
  auto outcome = execute();
  EXPECT_EQ(outcome.verdict, Verdict::infrastructure_error);
  EXPECT_THAT(outcome.message, HasSubstr("all user ids for sandboxes are taken"));
  EXPECT_EQ(requests_with("name=gantry-sandbox-").size(), 64U);
}

TEST_F(DockerExecutorTest, AnEngineThatRefusesToCreateIsOurFailure) {
  engine_has_the_image();
  engine_has_the_volume();
  daemon_.expect("POST", "/containers/create?name=gantry-sandbox-*")
      .reply(500, R"({"message":"no space left on device"})");
  auto outcome = execute();
  EXPECT_EQ(outcome.verdict, Verdict::infrastructure_error);
  EXPECT_THAT(outcome.message, HasSubstr("no space left on device"));
}

TEST_F(DockerExecutorTest, AFailedStartIsOurFailureAndTheContainerGoes) {
  engine_is_honest();
  init_says("");
  start().reply(500, R"({"message":"exec /.gantry/gantry-init: no such file"})");
  auto outcome = execute();
  EXPECT_EQ(outcome.verdict, Verdict::infrastructure_error);
  EXPECT_THAT(outcome.message, HasSubstr("no such file"));
  EXPECT_THAT(requests_with("DELETE"), Contains(HasSubstr(box_)));
}

TEST_F(DockerExecutorTest, AfterAFailedStartTheVolumeIsLookedAtAgain) {
  engine_is_honest();
  init_says("");
  start().reply(500, R"({"message":"no such file"})");
  execute();
  init_says(verdict_frame(0));
  start().reply(204);
  EXPECT_EQ(execute().verdict, Verdict::ok);
  EXPECT_EQ(requests_with("/volumes/create").size(), 2U);
}

TEST_F(DockerExecutorTest, TheVolumeIsFilledOnce) {
  engine_is_honest();
  init_says(verdict_frame(0));
  start().reply(204);
  init_says(verdict_frame(0));
  start().reply(204);
  execute();
  execute();
  EXPECT_EQ(requests_with("/volumes/create").size(), 1U);
}

TEST_F(DockerExecutorTest, AnotherProgramInTheVolumeIsReplacedAndReadBack) {
  engine_has_the_image();
  daemon_.expect("POST", "/volumes/create").reply(201, R"({"Name":"gantry-init"})");
  daemon_.expect("POST", "/containers/create?name=gantry-init-fill-*").reply(201, created("f"));
  auto filler = "/containers/" + FakeDaemon::id("f");
  daemon_.expect("GET", filler + "/archive").reply(200, init_volume_archive("evil"));
  daemon_.expect("PUT", filler + "/archive").reply(200);
  daemon_.expect("GET", filler + "/archive").reply(200, init_volume_archive("evil"));
  daemon_.expect("DELETE", filler).reply(204);
  auto outcome = execute();
  EXPECT_EQ(outcome.verdict, Verdict::infrastructure_error);
  EXPECT_THAT(outcome.message, HasSubstr("the volume holds another 'gantry-init'"));
  EXPECT_THAT(requests_with("gantry-sandbox-"), IsEmpty());
}

TEST_F(DockerExecutorTest, AnEndWithoutAVerdictThatTheKernelMadeIsAboutMemory) {
  oom_killed_ = true;
  engine_is_honest();
  init_says(init_frame('R', "\2") + init_frame('S'));
  start().reply(204);
  auto outcome = execute();
  EXPECT_EQ(outcome.verdict, Verdict::memory_exceeded);
  EXPECT_EQ(outcome.signal, 9);
}

TEST_F(DockerExecutorTest, AnyOtherEndWithoutAVerdictIsOurFailureInItsOwnWords) {
  engine_is_honest();
  init_says(init_frame('X', "cannot write\n'a'"));
  start().reply(204);
  auto outcome = execute();
  EXPECT_EQ(outcome.verdict, Verdict::infrastructure_error);
  EXPECT_EQ(outcome.message, R"(cannot tell how the program ended: cannot write\n'a')");
}

TEST_F(DockerExecutorTest, WithoutAnyWordsTheEnginesAreTold) {
  state_error_ = "runc create failed";
  engine_is_honest();
  init_says("");
  start().reply(204);
  EXPECT_THAT(execute().message, HasSubstr("runc create failed"));
}

TEST_F(DockerExecutorTest, ARuntimeIsServedWhereTheEngineListsIt) {
  daemon_.expect("GET", "/info").reply(200, R"({"Runtimes":{"runc":{},"runsc":{}}})");
  EXPECT_TRUE(loop_.run(executor_.check({.runtime = Runtime::runsc})));
  EXPECT_TRUE(loop_.run(executor_.check({.runtime = Runtime::runsc})));
  EXPECT_EQ(requests_with("/info").size(), 1U);
}

TEST_F(DockerExecutorTest, ARuntimeTheEngineDoesNotListIsRefused) {
  daemon_.expect("GET", "/info").reply(200, R"({"Runtimes":{"runc":{}}})");
  auto refused = loop_.run(executor_.check({.runtime = Runtime::runsc}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "runtime_not_available");
  EXPECT_THAT(refused.error().message, HasSubstr("the engine has runc"));
}

/// The containers of a test's engine are all the same one: it waits, and then serves.
async::task<void> keep_pool_until(DockerExecutor& executor, std::function<bool()> reached) {
  co_await async::race(async::until(std::move(reached)), executor.maintain());
}

TEST_F(DockerExecutorTest, AProgramGetsTheContainerThatWaitsForIt) {
  engine_is_honest();
  daemon_.expect("GET", "/containers/json").reply(200, "[]").always();
  init_says(verdict_frame(0));
  start().reply(204).always();
  EXPECT_FALSE(execute().warm);
  daemon_.expect("POST", box_ + "/attach")
      .upgrade(101, {engine_frame(1, init_frame('R', "\2"))})
      .stay_open()
      .on_bytes([](std::string_view bytes) {
        return bytes.contains("G\0") ? engine_frame(1, init_frame('S') + verdict_frame(0)) : "";
      });
  loop_.run(keep_pool_until(executor_, [this] {
    auto pool = executor_.pool();
    return !pool.empty() && pool[0].ready == 1;
  }));
  auto created = requests_with("name=gantry-sandbox-").size();
  auto outcome = execute();
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  EXPECT_TRUE(outcome.warm);
  EXPECT_EQ(requests_with("name=gantry-sandbox-").size(), created);
  EXPECT_EQ(executor_.pool()[0].hits, 1U);
  EXPECT_EQ(executor_.pool()[0].misses, 1U);
}

TEST_F(DockerExecutorTest, AnImageThatCanNotBeHadIsOurFailure) {
  daemon_.expect("GET", "/images/*").reply(404, R"({"message":"none"})").always();
  daemon_.expect("POST", "/images/create").reply(404, R"({"message":"manifest unknown"})");
  auto outcome = execute();
  EXPECT_EQ(outcome.verdict, Verdict::infrastructure_error);
  EXPECT_EQ(outcome.served_image, "");
  EXPECT_THAT(requests_with("/containers"), IsEmpty());
}

async::task<void> execute_and_ignore(DockerExecutor& executor, Observer observer) {
  co_await executor.execute({ExecutionId{"e1"}, {.image = "alpine", .command = {"sh"}}, {}},
                            std::move(observer));
}

async::task<void> cancel_when_started(async::TaskScope& runs, DockerExecutor& executor,
                                      ScriptedServer::Script& started, Observer observer) {
  runs.spawn("run", execute_and_ignore(executor, std::move(observer)));
  co_await async::until([&] { return started.used() == 1; });
  co_await runs.close();
}

TEST_F(DockerExecutorTest, ACancelledRunLeavesNoContainer) {
  engine_is_honest();
  daemon_.expect("POST", box_ + "/attach").upgrade(101, {}).stay_open();
  auto& started = start().reply(204);
  async::TaskScope runs{loop_.executor()};
  loop_.run(cancel_when_started(runs, executor_, started, told_.observer()));
  EXPECT_THAT(requests_with("DELETE"), Contains(HasSubstr(box_)));
}

/// A container that the sweep finds, and what becomes of it.
struct Found {
  std::string name;
  std::string container;
  std::string kind;
  std::string owner;
  std::int64_t age_seconds;
  std::string deadline;
  bool removed;
};

class SweepTest : public DockerExecutorTest, public testing::WithParamInterface<Found> {};

TEST_P(SweepTest, DecidesByLabelsAndAge) {
  const auto& found = GetParam();
  auto container = FakeDaemon::container("5", found.container, "running");
  container["Created"] = now_seconds - found.age_seconds;
  container["Labels"] = json::Object{{"io.gantry.kind", found.kind},
                                     {"io.gantry.owner", found.owner},
                                     {"io.gantry.execution", "unknown"},
                                     {"io.gantry.deadline", found.deadline}};
  daemon_.expect("GET", "/containers/json").reply(200, json::serialize(json::Array{container}));
  daemon_.expect("DELETE", box_).reply(204);
  engine_ends_sandboxes(box_);
  EXPECT_EQ(loop_.run(executor_.sweep()), found.removed ? 1 : 0);
  EXPECT_EQ(requests_with("DELETE").size(), found.removed ? 1U : 0U);
}

constexpr const char* box = "gantry-sandbox-40000";
constexpr const char* fill = "gantry-init-fill-abc";

std::string seconds_from_now(std::int64_t offset) { return std::to_string(now_seconds + offset); }

INSTANTIATE_TEST_SUITE_P(
    Table, SweepTest,
    testing::Values(
        Found{"OursThatNobodyKnows", box, "sandbox", "server1", 0, seconds_from_now(600), true},
        Found{"OursFillingTheVolume", fill, "init-volume", "server1", 9, "", false},
        Found{"OursThatHasFilledForLong", fill, "init-volume", "server1", 11, "", true},
        Found{"TheirsBeforeItsDeadline", box, "sandbox", "other", 600, seconds_from_now(5), false},
        Found{"TheirsJustAfterIt", box, "sandbox", "other", 600, seconds_from_now(-60), false},
        Found{"TheirsLongAfterIt", box, "sandbox", "other", 600, seconds_from_now(-61), true},
        Found{"TheirsThatFillsIt", fill, "init-volume", "other", 9, "", false},
        Found{"TheirsThatHasFilledForLong", fill, "init-volume", "other", 11, "", true},
        Found{"ADeadlineTooFar", box, "sandbox", "other", 600, "9223372036854775807", false},
        Found{"ADeadlineInWords", box, "sandbox", "other", 600, "never", false},
        Found{"AForeignNameWithOurLabels", "web-1", "sandbox", "server1", 600, "1", false},
        Found{"OurNameOfAnotherKind", box, "", "server1", 600, "1", false},
        Found{"ANameBeyondTheSlots", "gantry-sandbox-50000", "sandbox", "server1", 9, "1", false}),
    [](const auto& info) { return info.param.name; });

async::task<int> sweep_during_a_run(async::TaskScope& runs, DockerExecutor& executor,
                                    ScriptedServer::Script& started, Observer observer) {
  runs.spawn("run", execute_and_ignore(executor, std::move(observer)));
  co_await async::until([&] { return started.used() == 1; });
  auto removed = value_or_throw(co_await executor.sweep());
  co_await runs.close();
  co_return removed;
}

TEST_F(DockerExecutorTest, TheSweepLeavesAloneWhatRuns) {
  engine_is_honest();
  daemon_.expect("POST", box_ + "/attach").upgrade(101, {}).stay_open();
  auto& started = start().reply(204);
  auto container = FakeDaemon::container("5", "gantry-sandbox-40000", "running");
  container["Labels"] = json::Object{
      {"io.gantry.kind", "sandbox"}, {"io.gantry.owner", "server1"}, {"io.gantry.execution", "e1"}};
  daemon_.expect("GET", "/containers/json").reply(200, json::serialize(json::Array{container}));
  async::TaskScope runs{loop_.executor()};
  EXPECT_EQ(loop_.run(sweep_during_a_run(runs, executor_, started, told_.observer())), 0);
}

TEST_F(DockerExecutorTest, TheSweepAsksOnlyForLabelledContainers) {
  daemon_.expect("GET", "/containers/json").reply(200, "[]");
  EXPECT_EQ(loop_.run(executor_.sweep()), 0);
  EXPECT_THAT(daemon_.requests(),
              ElementsAre(AllOf(HasSubstr("all=1"), HasSubstr("io.gantry.owner"))));
}

TEST_F(DockerExecutorTest, OneContainerThatStaysDoesNotStopTheSweep) {
  auto first = FakeDaemon::container("5", "gantry-sandbox-40000", "running");
  auto second = FakeDaemon::container("6", "gantry-sandbox-40001", "running");
  first["Labels"] = second["Labels"] =
      json::Object{{"io.gantry.kind", "sandbox"}, {"io.gantry.owner", "server1"}};
  daemon_.expect("GET", "/containers/json").reply(200, json::serialize(json::Array{first, second}));
  engine_ends_sandboxes(box_);
  engine_ends_sandboxes("/containers/" + FakeDaemon::id("6"));
  daemon_.expect("DELETE", box_).reply(500, R"({"message":"device busy"})");
  daemon_.expect("DELETE", "/containers/" + FakeDaemon::id("6")).reply(204);
  EXPECT_EQ(loop_.run(executor_.sweep()), 1);
}

// Docker 20.10 can go on listing a container that is long gone.
TEST_F(DockerExecutorTest, AGhostThatOnlyTheListKnowsIsNotCounted) {
  auto ghost = FakeDaemon::container("5", "gantry-sandbox-40000", "removing");
  ghost["Labels"] = json::Object{{"io.gantry.kind", "sandbox"}, {"io.gantry.owner", "server1"}};
  daemon_.expect("GET", "/containers/json").reply(200, json::serialize(json::Array{ghost}));
  daemon_.expect("POST", box_ + "/kill").reply(404, R"({"message":"No such container"})");
  daemon_.expect("POST", box_ + "/wait").reply(404, R"({"message":"No such container"})");
  EXPECT_EQ(loop_.run(executor_.sweep()), 0);
}

}  // namespace
}  // namespace gantry::sandbox
