#include "engine/exec_run.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::engine {
namespace {

using testing::HasSubstr;
using Script = FakeDaemon::Script;

std::string frame(std::string_view payload) {
  return std::string{1, 0, 0, 0, 0, 0, 0, static_cast<char>(payload.size())}.append(payload);
}

/// An engine that has been asked to start `sleep`, and starts it whatever becomes of who asked.
class ExecRun : public testing::Test {
 protected:
  ExecRun() {
    auto made = [](const std::string& id) { return fmt::format(R"({{"Id":"{}"}})", id); };
    daemon_.expect("POST", "/containers/web/exec").reply(201, made(exec_));
    daemon_.expect("POST", "/containers/web/exec").reply(201, made(killer_)).always();
    start_ = &daemon_.expect("POST", fmt::format("/exec/{}/start", exec_));
    auto kills = fmt::format("/exec/{}/start", killer_);
    daemon_.expect("POST", kills).upgrade(101, {frame("7 1\n")});
    daemon_.expect("POST", kills).upgrade(101, {frame("7 0\n")}).always();
    daemon_.expect("GET", fmt::format("/exec/{}/json", exec_))
        .reply_with([this](const auto&) { return state(); })
        .always();
  }

  /// It takes a moment to start, and lives until it is told to end.
  net::ScriptedServer::Reply state() {
    bool running = ++looks_ > 2 && !was_told("TERM");
    return {.status = 200,
            .body = fmt::format(R"({{"Running":{},"ExitCode":0,"Pid":{}}})", running,
                                looks_ > 2 ? 7 : 0),
            .headers = {}};
  }
  bool was_told(std::string_view signal) {
    return std::ranges::any_of(daemon_.server().seen(), [&](const auto& seen) {
      return seen.body.contains(fmt::format("\"{}\"", signal));
    });
  }
  async::task<void> ask_for_it() {
    ExecSpec spec;
    spec.command = {"sleep", "1000"};
    result_ =
        co_await run_exec(*client_, "web", std::move(spec), {}, {.time_max = Milliseconds{60'000}});
  }

  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::unique_ptr<Client> client_ = daemon_.client(loop_.executor());
  std::string exec_ = FakeDaemon::id("e1");
  std::string killer_ = FakeDaemon::id("e2");
  Script* start_ = nullptr;
  int looks_ = 0;
  std::optional<Result<ExecResult>> result_;
};

TEST_F(ExecRun, WhatIsStartedForSomebodyWhoHasLeftIsEnded) {
  start_->hang();
  loop_.run(
      async::with_companion(async::until([this] { return start_->used() == 1; }), ask_for_it()));
  EXPECT_FALSE(result_);
  EXPECT_TRUE(was_told("TERM"));
}

TEST_F(ExecRun, WhatIsStartedByAnEngineThatBreaksOffIsEnded) {
  start_->raw({}).then_close();
  loop_.run(ask_for_it());
  ASSERT_TRUE(result_);
  EXPECT_EQ(result_->error().code, "engine_unreachable");
  EXPECT_TRUE(was_told("TERM"));
}

TEST_F(ExecRun, WhatTheEngineRefusesToStartIsNotLookedFor) {
  start_->reply(400, R"({"message":"OCI runtime exec failed: no such file or directory"})");
  loop_.run(ask_for_it());
  ASSERT_TRUE(result_);
  EXPECT_EQ(result_->error().code, "exec_not_started");
  EXPECT_EQ(looks_, 0);
}

}  // namespace
}  // namespace gantry::engine
