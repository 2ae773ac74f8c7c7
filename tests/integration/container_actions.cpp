#include "integration/container_actions.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "base/random.hpp"
#include "engine/containers.hpp"
#include "fleet/actions.hpp"
#include "fleet/creation.hpp"
#include "fleet/log_hub.hpp"
#include "fleet/stats_hub.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry {
namespace {

using fleet::ActionParameters;
using testing::Contains;
using testing::HasSubstr;

/// Long enough for a slow machine, and never waited for in vain.
constexpr Milliseconds patience{60'000};

/// A container of one case: removed with it.
class Subject {
 public:
  Subject(ActionStage& stage, std::string script, engine::NewContainer wanted = {})
      : stage_{stage}, name_{"gantry-test-" + random::word(12)} {
    wanted.image = stage.image;
    wanted.entrypoint = {"sh", "-c", std::move(script)};
    wanted.labels = stage.labels;
    wanted.init = true;
    auto created = value_or_throw(stage.loop.run(
        fleet::create(stage.operations, actor(), access::Role::operator_,
                      {.host = stage.host, .name = name_, .wanted = std::move(wanted)})));
    if (created.not_started) throw Failure{*created.not_started};
    id_ = created.id;
  }
  ~Subject() {
    auto removed = stage_.loop.run(async::attempt(
        engine::remove_container(stage_.engine(), id_, {.force = true, .volumes = true})));
    if (!removed) EXPECT_EQ(removed.error().kind, ErrorKind::not_found);
  }
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  static fleet::Actor actor() { return {.name = "tester", .id = "t1", .by = "local"}; }
  const std::string& id() const { return id_; }
  const std::string& name() const { return name_; }
  Result<std::vector<std::string>> act(std::string_view word, ActionParameters parameters = {}) {
    return stage_.loop.run(fleet::act(stage_.operations, actor(),
                                      {.host = stage_.host, .id = id_, .name = name_},
                                      *fleet::find_action(word), std::move(parameters)));
  }
  engine::ContainerDetails look() {
    return value_or_throw(stage_.loop.run(engine::inspect_container(stage_.engine(), id_)));
  }
  std::string status() { return look().state.status; }

 private:
  ActionStage& stage_;
  std::string name_;
  std::string id_;
};

constexpr const char* sleeps =
    "trap 'exit 7' TERM; trap 'echo hup' HUP; while :; do sleep 0.1; done";

void ok_or_say(const Result<std::vector<std::string>>& done) {
  EXPECT_TRUE(done) << (done ? std::string{} : done.error().sentence());
}

void stops_and_starts(ActionStage& stage) {
  Subject subject{stage, sleeps};
  EXPECT_EQ(subject.status(), "running");
  ok_or_say(subject.act("stop", {.grace = Seconds{20}}));
  EXPECT_EQ(subject.status(), "exited");
  ok_or_say(subject.act("stop"));
  ok_or_say(subject.act("start"));
  EXPECT_EQ(subject.status(), "running");
  ok_or_say(subject.act("start"));
}

void restarts(ActionStage& stage) {
  Subject subject{stage, sleeps};
  auto before = subject.look().state.started_at;
  ok_or_say(subject.act("restart", {.grace = Seconds{20}}));
  EXPECT_EQ(subject.status(), "running");
  EXPECT_NE(subject.look().state.started_at, before);
}

void pauses(ActionStage& stage) {
  Subject subject{stage, sleeps};
  ok_or_say(subject.act("pause"));
  EXPECT_EQ(subject.status(), "paused");
  ok_or_say(subject.act("unpause"));
  EXPECT_EQ(subject.status(), "running");
  auto again = subject.act("unpause");
  ASSERT_FALSE(again);
}

void kills(ActionStage& stage) {
  Subject subject{stage, sleeps};
  ok_or_say(subject.act("kill"));
  auto ended = stage.loop.run(
      engine::wait_container(stage.engine(), subject.id(), engine::WaitCondition::not_running));
  EXPECT_EQ(value_or_throw(ended).code, 137);
  auto again = subject.act("kill");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::conflict);
}

void renames(ActionStage& stage) {
  Subject subject{stage, sleeps};
  auto fresh = subject.name() + "-2";
  ok_or_say(subject.act("rename", {.name = fresh}));
  EXPECT_EQ(subject.look().name, fresh);
}

void removes(ActionStage& stage) {
  Subject subject{stage, sleeps};
  auto refused = subject.act("remove");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_FALSE(refused.error().remedy.empty());
  ok_or_say(subject.act("remove", {.remove = {.force = true, .volumes = true}}));
  auto gone = stage.loop.run(engine::inspect_container(stage.engine(), subject.id()));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::not_found);
}

void updates(ActionStage& stage) {
  Subject subject{stage, sleeps};
  ActionParameters limits;
  limits.update.memory_bytes = std::int64_t{64} << 20U;
  limits.update.memory_swap_bytes = -1;
  limits.update.nano_cpus = 500'000'000;
  limits.update.restart = engine::RestartPolicy{.name = "on-failure", .retries_max = 3};
  ok_or_say(subject.act("update", limits));
  auto seen = subject.look();
  EXPECT_EQ(seen.settings.memory_bytes, std::int64_t{64} << 20U);
  EXPECT_EQ(seen.settings.nano_cpus, 500'000'000);
  EXPECT_EQ(seen.restart.name, "on-failure");
  EXPECT_EQ(seen.restart.retries_max, 3);
}

void creates(ActionStage& stage) {
  engine::NewContainer wanted;
  wanted.env = {"COLOUR=green"};
  wanted.ports = {{.container_port = 80, .host_ip = "127.0.0.1"}};
  wanted.tmpfs = {{"/scratch", "rw,size=65536"}};
  wanted.user = "1000:1000";
  wanted.working_dir = "/tmp";
  wanted.memory_bytes = std::int64_t{64} << 20U;
  wanted.healthcheck = engine::HealthcheckSettings{.test = {"CMD-SHELL", "echo fine"},
                                                   .interval = Milliseconds{1'000}};
  Subject subject{stage, sleeps, wanted};
  auto seen = subject.look();
  EXPECT_THAT(seen.settings.env, Contains("COLOUR=green"));
  EXPECT_EQ(seen.settings.user, "1000:1000");
  EXPECT_EQ(seen.settings.working_dir, "/tmp");
  EXPECT_EQ(seen.settings.memory_bytes, std::int64_t{64} << 20U);
  ASSERT_EQ(seen.ports.size(), 1U);
  EXPECT_TRUE(seen.ports[0].host_port);
  EXPECT_EQ(seen.healthcheck.interval, Milliseconds{1'000});
  auto deadline = steady_now() + patience;
  while (seen.state.probes.empty() && steady_now() < deadline) {
    stage.loop.run(async::pause(Milliseconds{100}));
    seen = subject.look();
  }
  ASSERT_FALSE(seen.state.probes.empty());
  EXPECT_EQ(seen.state.probes[0].exit_code, 0);
  EXPECT_THAT(seen.state.probes[0].output, HasSubstr("fine"));
}

void shows_processes_and_changes(ActionStage& stage) {
  Subject subject{stage, "touch /made-by-test; sleep 1000"};
  auto has_sleep = [&] {
    auto table =
        value_or_throw(stage.loop.run(engine::container_top(stage.engine(), subject.id())));
    return std::ranges::any_of(table.rows, [](const auto& row) {
      return std::ranges::any_of(row, [](const auto& cell) { return cell.contains("sleep"); });
    });
  };
  auto deadline = steady_now() + patience;
  while (!has_sleep() && steady_now() < deadline) {
    stage.loop.run(async::pause(Milliseconds{50}));
  }
  EXPECT_TRUE(has_sleep());
  auto changes =
      value_or_throw(stage.loop.run(engine::container_changes(stage.engine(), subject.id())));
  EXPECT_TRUE(std::ranges::any_of(changes, [](const auto& change) {
    return change.path == "/made-by-test" && change.kind == engine::PathChange::Kind::added;
  }));
}

/// Everything a follower is told until the end.
std::string follow_to_the_end(ActionStage& stage, fleet::LogHub& logs, const std::string& id,
                              fleet::LogWish wish) {
  auto follower = value_or_throw(stage.loop.run(logs.follow(stage.host, id, std::move(wish))));
  std::string text;
  for (;;) {
    auto news = stage.loop.run(follower->next());
    if (!news) return text;
    EXPECT_EQ(news->dropped_entries, 0U);
    for (const auto& batch : news->batches) {
      for (const auto& entry : batch->entries) text += batch->text(entry);
    }
  }
}

std::string numbered_lines(int from, int to) {
  std::string text;
  for (int i = from; i <= to; ++i) text += fmt::format("line {}\n", i);
  return text;
}

constexpr const char* writes_lines =
    "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; "
    "[ $((i % 100)) -eq 0 ] && sleep 0.02; done";

void logs_lose_and_repeat_nothing(ActionStage& stage) {
  fleet::LogHub logs{stage.loop.executor()};
  {
    Subject subject{stage, writes_lines};
    // In the midst of its writing: where the past meets the present is anywhere.
    EXPECT_EQ(follow_to_the_end(stage, logs, subject.id(), {}), numbered_lines(1, 3'000));
    EXPECT_EQ(follow_to_the_end(stage, logs, subject.id(), {.tail = 10U}),
              numbered_lines(2'991, 3'000));
    EXPECT_EQ(follow_to_the_end(stage, logs, subject.id(), {.tail = 0U}), "");
  }
  stage.loop.run(logs.close());
}

void logs_of_a_terminal_are_exact(ActionStage& stage) {
  fleet::LogHub logs{stage.loop.executor()};
  {
    engine::NewContainer wanted;
    wanted.tty = true;
    Subject subject{stage, "head -c 40000 /dev/zero | tr '\\0' x; echo; echo done", wanted};
    auto text = follow_to_the_end(stage, logs, subject.id(), {});
    EXPECT_EQ(text, std::string(40'000, 'x') + "\r\ndone\r\n");
  }
  stage.loop.run(logs.close());
}

void stats_are_read(ActionStage& stage) {
  fleet::StatsHub stats{stage.loop.executor()};
  {
    Subject subject{stage, "while :; do :; done"};
    auto watcher = value_or_throw(stage.loop.run(stats.watch(stage.host, subject.id())));
    auto reading = stage.loop.run(watcher->next());
    ASSERT_TRUE(reading);
    EXPECT_GT(*reading->cpu_percent(), 0.0);
    EXPECT_GT(reading->memory_bytes, 0U);
    EXPECT_GT(reading->memory_limit_bytes, 0U);
    EXPECT_GE(reading->pids, 1U);
    EXPECT_EQ(stats.streams(), 1U);
    watcher.reset();
    EXPECT_EQ(stats.streams(), 0U);
  }
  stage.loop.run(stats.close());
}

const std::vector<ActionCase>& cases() {
  static const std::vector<ActionCase> all{
      {"create", &creates},
      {"stop and start", &stops_and_starts},
      {"restart", &restarts},
      {"pause and unpause", &pauses},
      {"kill", &kills},
      {"rename", &renames},
      {"remove", &removes},
      {"update", &updates},
      {"top and changes", &shows_processes_and_changes},
      {"logs", &logs_lose_and_repeat_nothing},
      {"logs of a terminal", &logs_of_a_terminal_are_exact},
      {"stats", &stats_are_read},
  };
  return all;
}

}  // namespace

std::span<const ActionCase> container_action_cases() { return cases(); }

std::shared_ptr<fleet::Host> host_over(async::TestLoop& loop, const std::string& endpoint,
                                       net::Connect dial) {
  fleet::HostRecord record{.config = {.id = fleet::HostId{"test"},
                                      .name = "test",
                                      .endpoint = value_or_throw(net::Endpoint::parse(endpoint))}};
  return std::make_shared<fleet::Host>(loop.executor(), std::move(record),
                                       fleet::HostWay{.connect = std::move(dial)}, Clock{},
                                       fleet::LinkSettings{});
}

}  // namespace gantry
