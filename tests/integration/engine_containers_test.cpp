#include "integration/real_engine.hpp"

#include <algorithm>

#include <gmock/gmock.h>

namespace gantry::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EngineContainers : public RealEngine {};

TEST_F(EngineContainers, AContainerLivesFromCreateToRemove) {
  auto id = create(sleeper());
  EXPECT_EQ(must(inspect_container(engine(), id)).state.status, "created");
  EXPECT_TRUE(run(start_container(engine(), id)));
  EXPECT_TRUE(run(start_container(engine(), id))) << "starting twice is no error";
  EXPECT_TRUE(run(pause_container(engine(), id)));
  EXPECT_TRUE(must(inspect_container(engine(), id)).state.paused);
  EXPECT_TRUE(run(unpause_container(engine(), id)));
  EXPECT_TRUE(run(kill_container(engine(), id, "SIGKILL")));
  auto exit = must(wait_container(engine(), id, WaitCondition::not_running));
  EXPECT_EQ(exit.code, 137);
  EXPECT_TRUE(run(remove_container(engine(), id, {})));
  auto gone = run(inspect_container(engine(), id));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::not_found);
  EXPECT_THAT(gone.error().message, HasSubstr("No such container"));
}

TEST_F(EngineContainers, TheListAndTheLookUpAgree) {
  auto name = fresh_name();
  auto id = must(create_container(engine(), name, sleeper())).id;
  auto listed = must(list_containers(engine(), ListScope::all, {mark()}));
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].id, id);
  EXPECT_THAT(listed[0].names, ElementsAre(name));
  EXPECT_EQ(listed[0].state, "created");
  EXPECT_EQ(must(list_container(engine(), id)), listed[0]);
  auto running = must(list_containers(engine(), ListScope::running, {mark()}));
  EXPECT_THAT(running, IsEmpty());
}

TEST_F(EngineContainers, StoppingGivesTheProgramItsGrace) {
  auto spec = shell("trap 'exit 7' TERM; while :; do sleep 0.1; done");
  auto id = started(spec);
  EXPECT_TRUE(run(stop_container(engine(), id, Seconds{10})));
  EXPECT_EQ(must(inspect_container(engine(), id)).state.exit_code, 7);
}

TEST_F(EngineContainers, RestartRenameAndUpdate) {
  auto spec = sleeper();
  spec.memory_bytes = 64 << 20;
  spec.memory_swap_bytes = 64 << 20;
  auto id = started(spec);
  EXPECT_TRUE(run(restart_container(engine(), id, Seconds{0})));
  auto name = fresh_name();
  EXPECT_TRUE(run(rename_container(engine(), id, name)));
  must(update_container(engine(), name,
                        {.memory_bytes = 128 << 20,
                         .memory_swap_bytes = 128 << 20,
                         .nano_cpus = 500'000'000,
                         .pids_limit = 32}));
  auto details = must(inspect_container(engine(), id));
  EXPECT_EQ(details.name, name);
  EXPECT_EQ(details.settings.memory_bytes, 128 << 20);
  EXPECT_EQ(details.settings.nano_cpus, 500'000'000);
  EXPECT_EQ(details.settings.pids_limit, 32);
}

TEST_F(EngineContainers, ANameThatIsTakenIsAConflictWithARemedy) {
  auto name = fresh_name();
  must(create_container(engine(), name, sleeper()));
  auto again = run(create_container(engine(), name, sleeper()));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::conflict);
  EXPECT_EQ(again.error().code, "engine_conflict");
  EXPECT_THAT(again.error().remedy, HasSubstr("another name"));
}

TEST_F(EngineContainers, AnImageThatIsNotThereIsToldFromAContainerThatIsNotThere) {
  auto spec = sleeper();
  spec.image = "gantry/no-such-image:latest";
  auto created = run(create_container(engine(), "", spec));
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, "engine_no_image");
  EXPECT_EQ(created.error().remedy, "pull the image first");
}

TEST_F(EngineContainers, KillingWhatDoesNotRunIsAConflict) {
  auto id = create(sleeper());
  auto killed = run(kill_container(engine(), id, "SIGKILL"));
  ASSERT_FALSE(killed);
  EXPECT_EQ(killed.error().kind, ErrorKind::conflict);
  EXPECT_EQ(killed.error().remedy, "start it first");
}

TEST_F(EngineContainers, RemovingWhatRunsIsAConflictUnlessForced) {
  auto id = started(sleeper());
  auto removed = run(remove_container(engine(), id, {}));
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind, ErrorKind::conflict);
  EXPECT_THAT(removed.error().remedy, HasSubstr("by force"));
  EXPECT_TRUE(run(remove_container(engine(), id, {.force = true})));
}

TEST_F(EngineContainers, ACommandThatIsNotThereFailsInTheEnginesWords) {
  auto spec = sleeper();
  spec.entrypoint = {"/no/such/program"};
  auto id = create(spec);
  auto start = run(start_container(engine(), id));
  ASSERT_FALSE(start);
  EXPECT_THAT(start.error().message, HasSubstr("/no/such/program"));
  EXPECT_THAT(start.error().message, ::testing::Not(HasSubstr("\n")));
}

TEST_F(EngineContainers, AWaitBegunBeforeTheStartMissesNothing) {
  auto id = create(shell("exit 3"));
  auto wait = must(begin_wait(engine(), id, WaitCondition::next_exit));
  EXPECT_TRUE(run(start_container(engine(), id)));
  EXPECT_EQ(must(wait.finished()).code, 3);
}

TEST_F(EngineContainers, AKillByMemoryIsTold) {
  auto spec = shell("head -c 200m /dev/zero | tail");
  spec.memory_bytes = spec.memory_swap_bytes = 16 << 20;
  auto id = started(spec);
  must(wait_container(engine(), id, WaitCondition::not_running));
  EXPECT_TRUE(must(inspect_container(engine(), id)).state.oom_killed);
}

TEST_F(EngineContainers, StatsComeEverySecond) {
  auto id = started(sleeper());
  auto stats = must(container_stats(engine(), id));
  auto first = run(stats.next());
  auto second = run(stats.next());
  ASSERT_TRUE(first && second);
  EXPECT_GT(second->memory_bytes, 0U);
  EXPECT_GT(second->pids, 0U);
  EXPECT_GE(second->cpu_total_ns, first->cpu_total_ns);
  EXPECT_GT(second->system_cpu_ns, first->system_cpu_ns);
}

}  // namespace
}  // namespace gantry::engine
