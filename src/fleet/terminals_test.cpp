#include "fleet/terminals.hpp"

#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"
#include "storage/testing_fake.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using engine::FakeDaemon;
using testing::HasSubstr;
using testing::IsEmpty;

std::string frame(std::string_view payload) {
  return std::string{1, 0, 0, 0, 0, 0, 0, static_cast<char>(payload.size())}.append(payload);
}

/// One engine with one container, in which shells can be started.
class FleetTerminals : public testing::Test {
 protected:
  FleetTerminals() {
    database_ = loop_.run(storage::open_for_test(folder_.path() / "data"));
    loop_.run(access::audit::migrate(*database_));
    operations_.emplace(loop_.executor(), *database_, Operations::Settings{});
    terminals_.emplace(loop_.executor(), *operations_, nullptr, TerminalSettings{.typed_max = 4});
    HostRecord record;
    record.config.name = "edge";
    record.config.endpoint = value_or_throw(net::Endpoint::parse("unix:///run/fake.sock"));
    // Of the test and of the terminals on it.
    host_ = std::make_shared<Host>(loop_.executor(), std::move(record),
                                   HostWay{.connect = daemon_.server().connect()}, Clock{},
                                   LinkSettings{});
    auto made = [](const std::string& id) { return fmt::format(R"({{"Id":"{}"}})", id); };
    daemon_.expect("POST", "/containers/web/exec").reply(201, made(shell_));
    daemon_.expect("POST", "/containers/web/exec").reply(201, made(walker_)).always();
    daemon_.expect("POST", fmt::format("/exec/{}/resize", shell_)).reply(200).always();
    start_ = &daemon_.expect("POST", fmt::format("/exec/{}/start", shell_));
    daemon_.expect("GET", fmt::format("/exec/{}/json", shell_))
        .reply_with([this](const auto&) { return state(); })
        .always();
  }
  ~FleetTerminals() override {
    loop_.run(terminals_->close());
    loop_.run(operations_->close());
  }

  /// What looks into the container for the shell finds these, one after the other.
  void walks(std::vector<std::string> answers) {
    auto walk = fmt::format("/exec/{}/start", walker_);
    for (const auto& answer : answers) daemon_.expect("POST", walk).upgrade(101, {frame(answer)});
    daemon_.expect("POST", walk).upgrade(101, {frame("7 0\n")}).always();
  }
  net::ScriptedServer::Reply state() {
    if (failures_ > 0 && start_->used() > 0) {
      --failures_;
      return {.status = 500, .body = R"({"message":"try again"})", .headers = {}};
    }
    bool running = (deaf_ || !was_told("HUP")) && !ended_;
    return {.status = 200,
            .body = fmt::format(R"({{"Running":{},"ExitCode":0,"Pid":7}})", running),
            .headers = {}};
  }
  bool was_told(std::string_view signal) {
    return std::ranges::any_of(daemon_.server().seen(), [&](const auto& seen) {
      return seen.body.contains(fmt::format("\"{}\"", signal));
    });
  }
  Result<TerminalView> open() {
    TerminalWish wish{.owner = {.name = "olga", .id = "u1", .by = "token"},
                      .container = "web",
                      .name = "web",
                      .project = {},
                      .shell = "sh",
                      .user = {},
                      .working_dir = {},
                      .env = {},
                      .size = {.columns = 80, .rows = 24}};
    return loop_.run(terminals_->open(host_, std::move(wish)));
  }

  storage::TemporaryFolder folder_;
  async::TestLoop loop_;
  FakeDaemon daemon_;
  std::string shell_ = FakeDaemon::id("e1");
  std::string walker_ = FakeDaemon::id("e2");
  net::ScriptedServer::Script* start_ = nullptr;
  std::unique_ptr<storage::Database> database_;
  std::optional<Operations> operations_;
  std::shared_ptr<Host> host_;
  std::optional<Terminals> terminals_;
  int failures_ = 0;
  bool ended_ = false;
  bool deaf_ = false;
};

TEST_F(FleetTerminals, AShellThatTheEngineCanNotTellOfIsEnded) {
  start_->upgrade(101, {"$ "}).stay_open();
  walks({"0 0\n", "7 1\n"});
  failures_ = 2;
  auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "engine_failed");
  EXPECT_TRUE(was_told("HUP"));
  EXPECT_THAT(terminals_->list(), IsEmpty());
}

TEST_F(FleetTerminals, AShellWhoseStartIsNotAnsweredIsEnded) {
  start_->raw({}).then_close();
  walks({"7 1\n"});
  auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "engine_unreachable");
  EXPECT_TRUE(was_told("HUP"));
}

TEST_F(FleetTerminals, WhatCanNotBeEndedIsTold) {
  start_->raw({}).then_close();
  walks({"0 0\n", "0 0\n", "0 0\n", "0 0\n", "0 0\n", "0 0\n"});
  deaf_ = true;
  auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().remedy, HasSubstr("may live on"));
}

TEST_F(FleetTerminals, WhatIsTypedAfterTheEndIsDropped) {
  start_->upgrade(101, {"$ "}).stay_open();
  walks({"7 1\n"});
  auto opened = open();
  ASSERT_TRUE(opened) << opened.error().message;
  auto viewer = value_or_throw(terminals_->join(opened->id, TerminalViewer::May::type));
  ended_ = true;
  start_->finish();
  while (!viewer->has_ended()) loop_.run(viewer->next());
  for (int i = 0; i < 3; ++i) loop_.run(viewer->type("more than it takes"));
  EXPECT_FALSE(viewer->typed_ahead());
}

}  // namespace
}  // namespace gantry::fleet
