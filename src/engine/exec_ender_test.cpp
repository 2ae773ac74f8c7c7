#include "engine/exec_ender.hpp"

#include "async/scope.hpp"
#include "async/testing_fake.hpp"
#include "base/json.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <algorithm>

#include <boost/asio/this_coro.hpp>  // tidy: asio because a cancelled caller is what it tries
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// A container without a shell: 20.10 would say so in the conversation, this engine refuses.
namespace gantry::engine {
namespace {

using testing::HasSubstr;
using Reply = net::ScriptedServer::Reply;
using Seen = net::ScriptedServer::Seen;
using Script = FakeDaemon::Script;

class ExecEnder : public testing::Test {
 protected:
  ExecEnder() {
    daemon_.expect("GET", "/containers/web/json")
        .reply_with([this](const auto&) { return Reply{200, beside(), {}}; })
        .always();
    daemon_.expect("GET", fmt::format("/exec/{}/json", exec_))
        .reply_with([this](const auto&) {
          return Reply{200, fmt::format(R"({{"Running":{},"Pid":7}})", runs_), {}};
        })
        .always();
    daemon_.expect("POST", "/containers/web/exec")
        .reply(201, fmt::format(R"({{"Id":"{}"}})", walker_))
        .always();
    walk_ = &daemon_.expect("POST", fmt::format("/exec/{}/start", walker_));
    walk_->reply(400, R"({"message":"OCI runtime exec failed: exec: \"sh\": not found"})").always();
    daemon_.expect("DELETE", helper("*")).reply(204).always();
  }

  std::string helper(std::string_view what) const {
    return fmt::format("/containers/{}{}", helper_, what);
  }
  std::string beside() const {
    return fmt::format(R"({{"Id":"{}","Image":"sha256:{}","HostConfig":{{"PidMode":"{}"}}}})",
                       FakeDaemon::id("c1"), FakeDaemon::id("d1"), pid_mode_);
  }
  Script& creates() { return daemon_.expect("POST", "/containers/create*"); }
  void creates_at_once() {
    creates().reply(201, fmt::format(R"({{"Id":"{}","Warnings":[]}})", helper_));
  }
  /// An honest engine, whose container exits so.
  void runs_a_helper(int exit_code) {
    creates_at_once();
    daemon_.expect("GET", helper("/json")).reply_with([this](const auto&) { return as_asked(); });
    daemon_.expect("PUT", helper("/archive*")).reply(200);
    daemon_.expect("POST", helper("/wait*"))
        .stream(200, {fmt::format(R"({{"StatusCode":{}}})", exit_code)});
    daemon_.expect("POST", helper("/start")).reply_with([this](const auto&) {
      runs_ = !ends_with_it_;
      return Reply{204, {}, {}};
    });
  }
  Reply as_asked() {
    auto config = created();
    auto host = config["HostConfig"].as_object();
    config.erase("HostConfig");
    host["IpcMode"] = "private";
    return {200,
            json::serialize(json::Object{
                {"Id", helper_}, {"Config", std::move(config)}, {"HostConfig", std::move(host)}}),
            {}};
  }
  /// What was asked to be created.
  json::Object created() {
    for (const auto& seen : daemon_.server().seen()) {
      if (!seen.target.contains("/containers/create")) continue;
      return value_or_throw(json::parse(seen.body, json::Keys::tolerant)).as_object();
    }
    throw std::runtime_error{"nothing was created"};
  }
  MarkedExec marked() const {
    return {
        .container = "web", .exec = exec_, .user = {}, .mark = "GANTRY_EXEC=x", .ender = &ender_};
  }
  ExecEnd ended() { return loop_.run(end_exec(*client_, marked(), "HUP")); }
  std::size_t asked(std::string_view method, std::string_view target) {
    return static_cast<std::size_t>(std::ranges::count_if(
        daemon_.server().seen(),
        [&](const Seen& seen) { return seen.method == method && seen.target.contains(target); }));
  }
  async::task<void> end_beside() {
    (void)co_await end_from_beside(*client_, ender_, marked(), "HUP");
  }
  async::task<void> leave_while_it_is_made(Script& making) {
    async::TaskScope scope{co_await boost::asio::this_coro::executor};
    scope.spawn("ending", end_beside());
    co_await async::until([&] { return making.used() == 1; });
    scope.cancel();
    making.push(fmt::format(R"({{"Id":"{}","Warnings":[]}})", helper_));
    making.finish();
    co_await scope.join();
  }

  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::unique_ptr<Client> client_ = daemon_.client(loop_.executor());
  std::string exec_ = FakeDaemon::id("e1");
  std::string walker_ = FakeDaemon::id("e2");
  std::string helper_ = FakeDaemon::id("f1");
  std::string pid_mode_;
  bool runs_ = true;
  bool ends_with_it_ = false;
  Script* walk_ = nullptr;
  Ender ender_{.archive = std::string(1024, '\0'),
               .dress = [] { return Ender::Dress{"gantry-sandbox-40001", {{"a", "b"}}}; },
               .label = "io.gantry.owner=ender",
               .is_left = [](const auto& one) { return one.names.front() == "left"; }};
};

TEST_F(ExecEnder, WhoLeavesWhileItIsMadeLeavesNothingBehind) {
  auto& making = creates().stream(201, {}).stay_open();
  loop_.run(leave_while_it_is_made(making));
  EXPECT_EQ(asked("DELETE", helper_), 1U);
  EXPECT_EQ(asked("POST", helper_), 0U);
}

TEST_F(ExecEnder, IsCalledWhereTheEngineRefusesToStartAShellAndNotTakenAtItsWord) {
  runs_a_helper(0);
  auto end = ended();
  EXPECT_EQ(asked("POST", helper("/start")), 1U);
  EXPECT_EQ(asked("DELETE", helper_), 1U);
  EXPECT_EQ(end.fate, ProcessFate::may_live_on);
  EXPECT_THAT(end.detail, HasSubstr("goes on"));
}

TEST_F(ExecEnder, TheEngineKnowsThatItHasEnded) {
  runs_a_helper(0);
  ends_with_it_ = true;
  EXPECT_EQ(ended().fate, ProcessFate::ended);
}

TEST_F(ExecEnder, IsKilledWithTheContainerThatEndsMeanwhile) {
  creates().reply_with([this](const auto&) {
    runs_ = false;
    return Reply{409, R"({"message":"cannot join PID of a non running container"})", {}};
  });
  creates().reply(404, R"({"message":"No such container: web"})").always();
  EXPECT_EQ(ended().fate, ProcessFate::ended);
}

TEST_F(ExecEnder, IsToldWhoseSessionItIsWhereThatIsKnown) {
  runs_a_helper(11);
  auto exec = marked();
  exec.session = 42;
  auto done = loop_.run(end_from_beside(*client_, ender_, exec, "TERM"));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("can not be found"));
  EXPECT_EQ(json::serialize(created()["Entrypoint"]),
            R"(["/gantry-ender","GANTRY_EXEC=x","15","42"])");
}

TEST_F(ExecEnder, HelpsWhereAShellHangs) {
  walk_->hang();
  runs_a_helper(12);
  auto end = ended();
  EXPECT_EQ(end.fate, ProcessFate::may_live_on);
  EXPECT_THAT(end.detail, HasSubstr("shell does not answer"));
  EXPECT_EQ(asked("POST", helper("/start")), 1U);
}

TEST_F(ExecEnder, TheProcessesOfTheHostAreLeftAlone) {
  pid_mode_ = "host";
  auto end = ended();
  EXPECT_EQ(end.fate, ProcessFate::may_live_on);
  EXPECT_THAT(end.detail, HasSubstr("shares the processes"));
  EXPECT_EQ(asked("POST", "/containers/create"), 0U);
}

TEST_F(ExecEnder, WhatIsMadeOtherwiseThanAskedForIsRemovedUnstarted) {
  creates_at_once();
  daemon_.expect("GET", helper("/json")).reply_with([this](const auto&) {
    auto made = value_or_throw(json::parse(as_asked().body, json::Keys::tolerant)).as_object();
    made["HostConfig"].as_object()["Privileged"] = true;
    return Reply{200, json::serialize(made), {}};
  });
  EXPECT_THAT(ended().detail, HasSubstr("something else than was asked for"));
  EXPECT_EQ(asked("POST", helper_), 0U);
  EXPECT_EQ(asked("DELETE", helper_), 1U);
}

TEST_F(ExecEnder, TakesAnotherNameWhereThatOneIsTaken) {
  creates().reply(409, R"({"message":"Conflict. The container name is already in use"})");
  runs_a_helper(0);
  runs_ = false;
  EXPECT_TRUE(loop_.run(end_from_beside(*client_, ender_, marked(), "HUP")));
  EXPECT_EQ(asked("POST", "/containers/create"), 2U);
}

TEST_F(ExecEnder, ThoseThatWereLeftBehindAreRemovedAndNoOthers) {
  json::Array listed{FakeDaemon::container("f1", "left", "created"),
                     FakeDaemon::container("f2", "at-work", "running")};
  daemon_.expect("GET", "/containers/json*").reply(200, json::serialize(listed));
  loop_.run(remove_left_enders(*client_, ender_));
  EXPECT_EQ(asked("DELETE", helper_), 1U);
  EXPECT_EQ(asked("DELETE", FakeDaemon::id("f2")), 0U);
}

}  // namespace
}  // namespace gantry::engine
