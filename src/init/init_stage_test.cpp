#include "init/init_fixture.hpp"
#include "init/init_harness.hpp"

#include <string>

#include <gtest/gtest.h>

// Rules of docs/protocols/init.md about stages, about interpreters that wait, and about what
// happens to programs that write too much.

namespace gantry::init_test {
namespace {

enum Cause { exited, signalled, wall_time, cpu_time };

// --- Output that is cut off, files that are too large ---

TEST_F(InitTest, AProgramWhoseOutputIsCutOffRunsOn) {
  const auto outcome = shell("head -c 5000000 /dev/zero; echo done > done; exit 3",
                             {.output_bytes = 1'000, .flags = truncate});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, exited);
  EXPECT_EQ(outcome.verdict->exit_code, 3);
  EXPECT_EQ(outcome.out.size(), 1'000U);
  EXPECT_EQ(outcome.verdict->stdout_bytes, 1'000U);
  EXPECT_EQ(outcome.verdict->truncated, 1);
  EXPECT_TRUE(std::filesystem::exists(init_.box() / "done"));
}

TEST_F(InitTest, EachStreamIsCutOffByItself) {
  const auto outcome =
      shell("echo fine; head -c 200000 /dev/zero >&2", {.output_bytes = 100, .flags = truncate});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.out, "fine\n");
  EXPECT_EQ(outcome.err.size(), 100U);
  EXPECT_EQ(outcome.verdict->truncated, 2);
}

TEST_F(InitTest, OutputOfExactlyTheCapIsNotCutOff) {
  const auto outcome = shell("printf 12345", {.output_bytes = 5, .flags = truncate});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->truncated, 0);
}

TEST_F(InitTest, AFloodThatIsDroppedEndsAtItsWallTime) {
  const auto outcome = shell("yes", {.wall_ms = 400, .output_bytes = 10, .flags = truncate});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, wall_time);
  EXPECT_LT(outcome.elapsed, held_up);
}

TEST_F(InitTest, AFloodThatIsDroppedEndsAtItsCpuTime) {
  const auto outcome = run({"yes"}, {.cpu_ms = 200, .output_bytes = 10, .flags = truncate});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, cpu_time);
}

TEST_F(InitTest, AFileOverTheLimitEndsTheProgramByASignal) {
  const auto outcome = probe("write-a-megabyte", {.file_bytes = 100'000});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, signalled);
  EXPECT_EQ(outcome.verdict->signal, 25);
  EXPECT_EQ(std::filesystem::file_size(init_.box() / "large"), 100'000U);
}

TEST_F(InitTest, AFileOfExactlyTheLimitIsAllowed) {
  const auto outcome = probe("write-a-megabyte", {.file_bytes = 1U << 20U});

  EXPECT_EQ(outcome.out, "1048576");
}

// --- Stages ---

std::string second(const std::string& script, const Limits& limits = {}) {
  return program({"sh", "-c", script}, limits) + frame('G');
}

TEST_F(InitTest, AStageThatFollowsFindsTheFilesOfTheOneBefore) {
  init_.start();
  init_.send(program({"sh", "-c", "echo made > made"}, {.flags = stage_follows}) +
             file_frame(0644, 4, "sent") + frame('D', "sent") + frame('G'));
  ASSERT_TRUE(init_.wait_for_frame('V'));
  init_.send(second("cat sent made; exit 4"));
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.types, "RSVSOV");
  EXPECT_EQ(outcome.out, "sentmade\n");
  ASSERT_EQ(outcome.verdicts.size(), 2U);
  EXPECT_EQ(outcome.verdicts[0].exit_code, 0);
  EXPECT_EQ(outcome.verdicts[1].exit_code, 4);
  EXPECT_EQ(outcome.init_exit_code, 0);
}

TEST_F(InitTest, AStageThatFailsIsTheLast) {
  const auto outcome = shell("exit 1", {.flags = stage_follows});

  EXPECT_EQ(outcome.types, "RSV");
  EXPECT_EQ(outcome.init_exit_code, 0);
}

TEST_F(InitTest, AStageThatCanNotStartIsTheLast) {
  const auto outcome = run({"no-such-compiler"}, {.flags = stage_follows});

  EXPECT_EQ(outcome.types, "RPV");
  EXPECT_EQ(outcome.init_exit_code, 0);
}

TEST_F(InitTest, WhoWantsNoStageMoreSimplyGoes) {
  init_.start();
  init_.send(program({"true"}, {.flags = stage_follows}) + frame('G'));
  ASSERT_TRUE(init_.wait_for_frame('V'));
  init_.end_input();
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.types, "RSV");
  EXPECT_EQ(outcome.init_exit_code, 0);
}

TEST_F(InitTest, NoProcessOutlivesItsStage) {
  init_.start();
  init_.send(program({init_.probe(), "orphan"}, {.flags = stage_follows}) + frame('G'));
  ASSERT_TRUE(init_.wait_for_frame('V'));
  init_.send(second("set -- /proc/[0-9]*; echo $#"));
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.out, "parent done2\n");  // init and the shell
}

TEST_F(InitTest, AStageHasItsOwnThreeDescriptors) {
  init_.start();
  init_.send(program({init_.probe(), "descriptors"}, {.flags = stage_follows}) + frame('G'));
  ASSERT_TRUE(init_.wait_for_frame('V'));
  init_.send(program({init_.probe(), "descriptors"}) + frame('G'));
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.out, "0 1 2 0 1 2 ");
}

TEST_F(InitTest, InputThatComesTooLateForItsStageIsIgnored) {
  init_.start();
  init_.send(program({"true"}, {.flags = stage_follows}) + frame('G'));
  ASSERT_TRUE(init_.wait_for_frame('V'));
  init_.send(frame('I', "late") + frame('K', u32(9)) + frame('Z') + second("cat") +
             frame('I', "mine") + frame('Z'));
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.out, "mine");
  EXPECT_EQ(outcome.verdict->exit_code, 0);
}

TEST_F(InitTest, CpuTimeOfAnEarlierStageDoesNotCount) {
  init_.start();
  init_.send(program({"sh", "-c", "i=0; while [ $i -lt 2000000 ]; do i=$((i+1)); done"},
                     {.flags = stage_follows}) +
             frame('G'));
  ASSERT_TRUE(init_.wait_for_frame('V'));
  init_.send(second("exit 0", {.cpu_ms = 100}));
  const auto outcome = init_.finish();

  ASSERT_EQ(outcome.verdicts.size(), 2U);
  EXPECT_GT(outcome.verdicts[0].cpu_us, 100'000U);
  EXPECT_EQ(outcome.verdicts[1].cause, exited);
  EXPECT_LT(outcome.verdicts[1].cpu_us, 100'000U);
}

TEST_F(InitTest, OutputOfAnEarlierStageDoesNotCount) {
  init_.start();
  init_.send(program({"sh", "-c", "printf 1234"}, {.output_bytes = 4, .flags = stage_follows}) +
             frame('G'));
  ASSERT_TRUE(init_.wait_for_frame('V'));
  init_.send(second("printf 5678", {.output_bytes = 4}));
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.out, "12345678");
  EXPECT_EQ(outcome.verdict->stdout_bytes, 4U);
}

// --- Interpreters that wait ---

class WaitingTest : public InitTest {
 protected:
  void boot_probe(const std::string& act, const Limits& limits = {}) {
    init_.start();
    init_.send(boot({init_.probe(), act}, limits));
  }
  static std::string request(const std::string& act, Limits limits = {}) {
    limits.flags |= waiting_interpreter;
    return limits_frame(limits) + frame('A', act) + frame('A', "main") + frame('A', "") +
           frame('E', "K=v w") + frame('G');
  }
};

TEST_F(WaitingTest, ItSaysThatItWaitsAndBecomesItsProgram) {
  boot_probe("wait");
  ASSERT_TRUE(init_.wait_for_frame('w'));
  init_.send(request("inheritance"));
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.types, "RwSOV");
  EXPECT_EQ(outcome.out, "[main][]{K=v w}blocked=0 sigpipe=default session=1 umask=22");
  EXPECT_EQ(outcome.verdict->exit_code, 0);
  EXPECT_EQ(outcome.init_exit_code, 0);
}

TEST_F(WaitingTest, ItsProgramNeedNotWaitForIt) {
  const auto outcome = (boot_probe("wait"), init_.finish_sent(request("none")));

  EXPECT_EQ(outcome.out, "[main][]{K=v w}");
  EXPECT_EQ(outcome.verdict->cause, exited);
}

TEST_F(WaitingTest, OneThatIsNotUpYetIsWaitedFor) {
  boot_probe("spin-and-wait");
  const auto outcome = init_.finish_sent(request("none"));

  EXPECT_EQ(outcome.types, "RSOV");
  EXPECT_EQ(outcome.out, "[main][]{K=v w}");
}

TEST_F(WaitingTest, OneThatNeverIsUpEndsAtTheWallTime) {
  boot_probe("spin");
  const auto outcome = init_.finish_sent(request("none", {.wall_ms = 300}));

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, wall_time);
}

TEST_F(WaitingTest, ALargeProgramArrivesWhole) {
  boot_probe("wait");
  std::string frames = limits_frame({.flags = waiting_interpreter}) + frame('A', "none");
  for (int i = 0; i < 4; ++i) frames += frame('A', std::string(60'000, 'x'));
  const auto outcome = init_.finish_sent(frames + frame('G'));

  const std::string shown = "[" + std::string(20, 'x') + "]";
  EXPECT_EQ(outcome.out, shown + shown + shown + shown);
}

TEST_F(WaitingTest, ItsProgramFindsFilesAndInput) {
  boot_probe("wait");
  ASSERT_TRUE(init_.wait_for_frame('w'));
  init_.send(limits_frame({.flags = waiting_interpreter}) + file_frame(0644, 1, "x") +
             frame('D', "x") + frame('A', "descriptors") + frame('G') + frame('I', "in"));
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.out, "0 1 2 ");
  EXPECT_TRUE(std::filesystem::exists(init_.box() / "x"));
}

TEST_F(WaitingTest, WhatItUsedBeforeItsProgramCameDoesNotCount) {
  boot_probe("spin-and-wait");
  ASSERT_TRUE(init_.wait_for_frame('w'));
  init_.send(request("none", {.cpu_ms = 900}));
  const auto outcome = init_.finish();

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, exited);
  // It used a second of both.
  EXPECT_LT(outcome.verdict->cpu_us, 500'000U);
  EXPECT_LT(outcome.verdict->wall_us, 950'000U);
}

TEST_F(WaitingTest, ItsProgramHasTheLimitsOfEveryOther) {
  boot_probe("wait", {.file_bytes = 100'000});
  ASSERT_TRUE(init_.wait_for_frame('w'));
  init_.send(request("write-a-megabyte", {.file_bytes = 100'000}));
  const auto outcome = init_.finish();

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->signal, 25);
}

TEST_F(WaitingTest, ItsProgramEndsAtItsWallTime) {
  boot_probe("wait");
  ASSERT_TRUE(init_.wait_for_frame('w'));
  init_.send(request("spin", {.wall_ms = 300}));
  const auto outcome = init_.finish();

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, wall_time);
}

TEST_F(WaitingTest, OneThatNeverListensEndsAtTheWallTime) {
  boot_probe("deafen");
  ASSERT_TRUE(init_.wait_for_frame('w'));
  std::string frames = limits_frame({.wall_ms = 300, .flags = waiting_interpreter});
  for (int i = 0; i < 4; ++i) frames += frame('A', std::string(60'000, 'x'));
  const auto outcome = init_.finish_sent(frames + frame('G'));

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, wall_time);
  EXPECT_LT(outcome.elapsed, held_up);
}

TEST_F(WaitingTest, TheChannelEndsBehindTheProgram) {
  boot_probe("keep-the-channel");
  ASSERT_TRUE(init_.wait_for_frame('w'));
  init_.send(limits_frame({.flags = waiting_interpreter}) + frame('A', "abc") + frame('G'));
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.out, "12 bytes and the end");
}

TEST_F(WaitingTest, OneWithAnotherFileSizeLimitIsRefused) {
  boot_probe("wait");
  const auto outcome = init_.finish_sent(request("none", {.file_bytes = 5}));

  EXPECT_EQ(outcome.failure, "no interpreter waits with this file size limit and umask");
}

TEST_F(WaitingTest, OneThatEndsIsToldAtOnce) {
  boot_probe("say-and-leave");
  const auto outcome = init_.finish();

  EXPECT_TRUE(outcome.failure.starts_with("the waiting interpreter ")) << outcome.failure;
  EXPECT_EQ(outcome.init_exit_code, 64);
}

TEST_F(WaitingTest, OneThatSaysTooMuchIsEnded) {
  boot_probe("say-too-much");
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.failure, "the waiting interpreter said too much");
}

TEST_F(WaitingTest, OneThatIsMissingIsToldInASentence) {
  init_.start();
  init_.send(boot({"no-such-interpreter"}));
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.failure,
            "cannot start program 'no-such-interpreter': No such file or directory");
  EXPECT_EQ(outcome.init_exit_code, 70);
}

TEST_F(WaitingTest, ASecondOneIsRefused) {
  boot_probe("wait");
  const auto outcome = init_.finish_sent(boot({init_.probe(), "wait"}));

  EXPECT_EQ(outcome.failure, "a 'W' frame came too late");
}

TEST_F(WaitingTest, AProgramThatDoesNotWantItStartsWithoutIt) {
  boot_probe("wait");
  ASSERT_TRUE(init_.wait_for_frame('w'));
  init_.send(program({"sh", "-c", "set -- /proc/[0-9]*; echo $#"}) + frame('G'));
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.types, "RwSOV");
  EXPECT_EQ(outcome.out, "2\n");
}

TEST_F(WaitingTest, WhoNeverSendsAProgramEndsIt) {
  boot_probe("wait");
  ASSERT_TRUE(init_.wait_for_frame('w'));
  init_.end_input();
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.types, "Rw");
  EXPECT_EQ(outcome.init_exit_code, 74);
}

}  // namespace
}  // namespace gantry::init_test
