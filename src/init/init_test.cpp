#include "init/init_fixture.hpp"
#include "init/init_harness.hpp"

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

// Each test is a rule of docs/protocols/init.md.

namespace gantry::init_test {
namespace {

using std::chrono::milliseconds;

enum Cause {
  exited,
  signalled,
  wall_time,
  cpu_time,
  memory,
  full_stdout,
  full_stderr,
  not_started
};

std::string content(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return (std::ostringstream{} << file.rdbuf()).str();
}

unsigned mode(const std::filesystem::path& path) {
  return static_cast<unsigned>(std::filesystem::status(path).permissions());
}

// --- The end of a program ---

TEST_F(InitTest, TellsReadyStartedOutputAndVerdictInThisOrder) {
  const auto outcome = shell("echo hello");

  EXPECT_EQ(outcome.types, "RSOV");
  EXPECT_EQ(outcome.out, "hello\n");
  EXPECT_EQ(outcome.init_exit_code, 0);
}

TEST_F(InitTest, TellsTheExitCode) {
  const auto outcome = shell("echo trouble >&2; exit 42");

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, exited);
  EXPECT_EQ(outcome.verdict->exit_code, 42);
  EXPECT_EQ(outcome.verdict->signal, 0);
  EXPECT_EQ(outcome.err, "trouble\n");
  EXPECT_EQ(outcome.verdict->stderr_bytes, 8U);
}

TEST_F(InitTest, TellsTheSignalThatEndedTheProgram) {
  const auto outcome = shell("kill -SEGV $$");

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, signalled);
  EXPECT_EQ(outcome.verdict->signal, 11);
  EXPECT_EQ(outcome.verdict->exit_code, 139);
}

TEST_F(InitTest, AProgramThatIsMissingIsNotStartedAndHasExitCode127) {
  const auto outcome = run({"no-such-program"});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.types, "RPV");
  EXPECT_EQ(outcome.verdict->cause, not_started);
  EXPECT_EQ(outcome.verdict->exit_code, 127);
  EXPECT_EQ(outcome.err, "cannot start program 'no-such-program': No such file or directory\n");
}

TEST_F(InitTest, AProgramThatIsNotExecutableHasExitCode126) {
  const auto outcome = run({"/etc/passwd"});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, not_started);
  EXPECT_EQ(outcome.verdict->exit_code, 126);
}

TEST_F(InitTest, AWorkingDirectoryThatIsMissingIsNamed) {
  const auto outcome =
      init_.finish_after(program({"true"}) + frame('C', "/no/such/place") + frame('G'));

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->exit_code, 126);
  EXPECT_EQ(outcome.err,
            "cannot enter working directory '/no/such/place': No such file or directory\n");
}

// --- Limits ---

TEST_F(InitTest, AProgramThatIgnoresSigtermEndsAtItsWallTime) {
  const auto outcome = shell("trap '' TERM INT HUP; while :; do sleep 1; done", {.wall_ms = 300});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, wall_time);
  EXPECT_EQ(outcome.verdict->signal, 9);
  EXPECT_GE(outcome.verdict->wall_us, 300'000U);
  EXPECT_LT(outcome.elapsed, held_up);
}

TEST_F(InitTest, AStoppedProcessGroupEndsAtItsWallTime) {
  const auto outcome = probe("stop", {.wall_ms = 300});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, wall_time);
}

TEST_F(InitTest, AProgramThatFloodsInitWithSignalsEndsAtItsWallTime) {
  const auto outcome = probe("pester-init", {.wall_ms = 300});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, wall_time);
  EXPECT_LT(outcome.elapsed, held_up);
}

TEST_F(InitTest, AProgramThatBreedsOrphansEndsAtItsWallTime) {
  const auto outcome = probe("breed-orphans", {.wall_ms = 500});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, wall_time);
  EXPECT_LT(outcome.elapsed, held_up);
}

TEST_F(InitTest, WithoutCgroupFilesAProgramThatSpinsEndsAtItsCpuTime) {
  const auto outcome = probe("spin", {.cpu_ms = 300});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, cpu_time);
  EXPECT_GE(outcome.verdict->cpu_us, 300'000U);
  EXPECT_LT(outcome.verdict->cpu_us, 5'000'000U);
}

TEST_F(InitTest, ACgroup2CounterDecidesAboutCpuTimeAndWhatWasUsedBeforeGoDoesNotCount) {
  init_.write_counter("cpu.stat", "usage_usec 5000000\nuser_usec 1\nsystem_usec 1\n");
  init_.start();
  init_.send(program({"sh", "-c", "echo up; sleep 20"}, {.cpu_ms = 1'000}) + frame('G'));
  ASSERT_TRUE(init_.wait_for_output("up"));
  init_.write_counter("cpu.stat", "usage_usec 6500000\nuser_usec 1\nsystem_usec 1\n");
  const auto outcome = init_.finish();

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, cpu_time);
  EXPECT_EQ(outcome.verdict->cpu_us, 1'500'000U);
}

TEST_F(InitTest, ACgroup1CounterDecidesAboutCpuTime) {
  init_.write_counter("cpu,cpuacct/cpuacct.usage", "1000000000\n");
  init_.start();
  init_.send(program({"sh", "-c", "echo up; sleep 20"}, {.cpu_ms = 1'000}) + frame('G'));
  ASSERT_TRUE(init_.wait_for_output("up"));
  init_.write_counter("cpu,cpuacct/cpuacct.usage", "3000000000\n");
  const auto outcome = init_.finish();

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, cpu_time);
  EXPECT_EQ(outcome.verdict->cpu_us, 2'000'000U);
}

TEST_F(InitTest, UnderEqualLimitsACounterThatRunsALittleAheadLeavesTheVerdictToTheWallLimit) {
  init_.write_counter("cpu.stat", "usage_usec 0\n");
  init_.start();
  init_.send(program({"sh", "-c", "echo up; sleep 20"}, {.wall_ms = 500, .cpu_ms = 500}) +
             frame('G'));
  ASSERT_TRUE(init_.wait_for_output("up"));
  init_.write_counter("cpu.stat", "usage_usec 505000\n");
  const auto outcome = init_.finish();

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, wall_time);
}

TEST_F(InitTest, UnderEqualLimitsTwoProcessesThatSpinEndAtTheirCpuTime) {
  init_.write_counter("cpu.stat", "usage_usec 0\n");
  init_.start();
  init_.send(program({"sh", "-c", "echo up; sleep 20"}, {.wall_ms = 10'000, .cpu_ms = 10'000}) +
             frame('G'));
  ASSERT_TRUE(init_.wait_for_output("up"));
  init_.write_counter("cpu.stat", "usage_usec 10011000\n");
  const auto outcome = init_.finish();

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, cpu_time);
}

TEST_F(InitTest, AnOomKillIsTheCauseEvenWhenTheProgramExitsWithZero) {
  init_.write_counter("memory.events", "low 0\nhigh 0\nmax 3\noom 0\noom_kill 2\n");
  init_.write_counter("memory.peak", "123456\n");
  init_.start();
  init_.send(program({"sh", "-c", "echo up; read line"}) + frame('G'));
  ASSERT_TRUE(init_.wait_for_output("up"));
  init_.write_counter("memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 3\n");
  init_.send(frame('I', "\n"));
  const auto outcome = init_.finish();

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, memory);
  EXPECT_EQ(outcome.verdict->exit_code, 0);
  EXPECT_EQ(outcome.verdict->oom_kills, 1U);
  EXPECT_EQ(outcome.verdict->memory_peak, 123'456U);
}

TEST_F(InitTest, OutputOverTheCapIsForwardedToTheByteAndEndsTheRun) {
  const auto outcome = shell("yes", {.output_bytes = 100'001});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, full_stdout);
  EXPECT_EQ(outcome.verdict->signal, 9);
  EXPECT_EQ(outcome.out.size(), 100'001U);
  EXPECT_EQ(outcome.verdict->stdout_bytes, 100'001U);
}

TEST_F(InitTest, StderrHasACapOfItsOwn) {
  const auto outcome = shell("echo fine; yes >&2", {.output_bytes = 1'000});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, full_stderr);
  EXPECT_EQ(outcome.out, "fine\n");
  EXPECT_EQ(outcome.err.size(), 1'000U);
}

TEST_F(InitTest, OutputOfExactlyTheCapIsNoExcess) {
  const auto outcome = shell("head -c 100000 /dev/zero", {.output_bytes = 100'000});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, exited);
  EXPECT_EQ(outcome.out.size(), 100'000U);
}

TEST_F(InitTest, ExcessFoundAfterTheProgramExitedIsStillExcess) {
  const auto outcome = shell("printf 123456", {.output_bytes = 5});

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, full_stdout);
  EXPECT_EQ(outcome.out, "12345");
}

TEST_F(InitTest, LargeOutputArrivesWhole) {
  const auto outcome = shell("head -c 5000000 /dev/zero", {.output_bytes = 10'000'000});

  EXPECT_EQ(outcome.out.size(), 5'000'000U);
}

// --- What outlives or disturbs the program ---

TEST_F(InitTest, AnOrphanThatHoldsTheOutputPipeDoesNotDelayTheVerdict) {
  const auto outcome = probe("orphan");

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.out, "parent done");
  EXPECT_EQ(outcome.verdict->cause, exited);
  EXPECT_LT(outcome.elapsed, held_up);
}

TEST_F(InitTest, KillingEverybodyDoesNotReachInit) {
  const auto outcome = probe("shoot-at-everybody");

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.out, "alive");
  EXPECT_EQ(outcome.verdict->cause, exited);
}

TEST_F(InitTest, AProgramThatClosesItsOutputStillRunsToItsEnd) {
  const auto outcome = shell("exec >&- 2>&-; sleep 0.2; exit 3");

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->exit_code, 3);
  EXPECT_GE(outcome.verdict->wall_us, 200'000U);
}

TEST_F(InitTest, AProgramCanNotForgeFramesByPrintingThem) {
  const auto outcome =
      shell("printf 'V\\000\\000\\000\\002\\001\\000X\\000\\000\\000\\001!'; exit 5");

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.types, "RSOV");
  EXPECT_EQ(outcome.out.size(), 13U);
  EXPECT_EQ(outcome.verdict->exit_code, 5);
}

TEST_F(InitTest, AProgramCanNotLookIntoInit) {
  const auto outcome = probe("look-into-init");

  EXPECT_EQ(outcome.out, "refused\nrefused\nrefused\nrefused\nrefused\n");
}

TEST_F(InitTest, AProgramCanNotTraceInit) {
  const auto outcome = probe("trace-init");

  EXPECT_EQ(outcome.out, "refused");
}

TEST_F(InitTest, AProgramInheritsThreeDescriptorsAndNoMore) {
  const auto outcome = probe("descriptors");

  EXPECT_EQ(outcome.out, "0 1 2 ");
}

TEST_F(InitTest, AProgramStartsWithCleanSignalsInASessionOfItsOwn) {
  const auto outcome = probe("inheritance", {.umask = 027});

  EXPECT_EQ(outcome.out, "blocked=0 sigpipe=default session=1 umask=27");
}

TEST_F(InitTest, AReaderThatGoesAwayEndsEverything) {
  init_.start();
  init_.send(program({"sleep", "20"}) + frame('G'));
  init_.stop_listening();
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.init_exit_code, 74);
  EXPECT_LT(outcome.elapsed, held_up);
}

TEST_F(InitTest, AReaderThatDoesNotReadDoesNotPostponeTheWallTime) {
  init_.start();
  init_.send(program({"yes"}, {.wall_ms = 300, .output_bytes = 1'000'000'000}) + frame('G'));
  init_.ignore_answers(milliseconds{4'000});
  const auto outcome = init_.finish();

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, wall_time);
  EXPECT_LT(outcome.verdict->wall_us, 3'500'000U);
  EXPECT_EQ(outcome.verdict->stdout_bytes, outcome.out.size());
}

TEST_F(InitTest, TheEndOfRequestsBeforeGoEndsInit) {
  init_.start();
  init_.send(program({"sleep", "20"}));
  init_.end_input();
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.types, "R");
  EXPECT_EQ(outcome.init_exit_code, 74);
}

// --- Standard input and signals ---

TEST_F(InitTest, StdinIsDeliveredAndEndsWithZ) {
  const auto outcome = init_.finish_after(program({"cat"}) + frame('G') + frame('I', "one ") +
                                          frame('I', "two") + frame('Z'));

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.out, "one two");
  EXPECT_EQ(outcome.verdict->cause, exited);
}

TEST_F(InitTest, LargeStdinIsDeliveredWhole) {
  std::string frames = program({"cat"}, {.output_bytes = 10'000'000}) + frame('G');
  for (int i = 0; i < 64; ++i)
    frames += frame('I', std::string(65'536, static_cast<char>('a' + i)));
  const auto outcome = init_.finish_after(frames + frame('Z'));

  EXPECT_EQ(outcome.out.size(), 64U * 65'536U);
  EXPECT_EQ(outcome.out.substr(65'530, 12), "aaaaaabbbbbb");
}

TEST_F(InitTest, TheEndOfRequestsAfterGoIsTheEndOfStdin) {
  init_.start();
  init_.send(program({"cat"}) + frame('G') + frame('I', "all"));
  init_.end_input();
  const auto outcome = init_.finish();

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.out, "all");
  EXPECT_EQ(outcome.verdict->cause, exited);
}

TEST_F(InitTest, StdinThatIsNeverReadHoldsNothingUp) {
  init_.start();
  init_.send(program({"sleep", "0.3"}) + frame('G'));
  for (int i = 0; i < 64 && init_.send(frame('I', std::string(65'536, 'x'))); ++i) continue;
  const auto outcome = init_.finish();

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.verdict->cause, exited);
}

TEST_F(InitTest, StdinForAProgramThatClosedItIsDropped) {
  std::string frames = program({"sh", "-c", "exec <&-; sleep 0.3; echo done"}) + frame('G');
  for (int i = 0; i < 32; ++i) frames += frame('I', std::string(65'536, 'x'));
  const auto outcome = init_.finish_after(frames + frame('Z'));

  EXPECT_EQ(outcome.out, "done\n");
}

TEST_F(InitTest, ASignalReachesTheProcessGroup) {
  init_.start();
  init_.send(
      program({"sh", "-c", "trap 'echo caught; exit 9' USR1; echo up; while :; do sleep 1; done"}) +
      frame('G'));
  ASSERT_TRUE(init_.wait_for_output("up"));
  init_.send(frame('K', u32(10)));
  const auto outcome = init_.finish();

  ASSERT_TRUE(outcome.verdict);
  EXPECT_EQ(outcome.out, "up\ncaught\n");
  EXPECT_EQ(outcome.verdict->exit_code, 9);
}

// --- Environment and files ---

TEST_F(InitTest, TheEnvironmentIsExactlyWhatWasSent) {
  const auto outcome = init_.finish_after(program({"env"}) + frame('E', "NAME=a b=c") + frame('G'));

  EXPECT_EQ(outcome.out, "PATH=/usr/local/bin:/usr/bin:/bin\nNAME=a b=c\n");
}

TEST_F(InitTest, TheWorkingDirectoryIsTheWorkFolderUnlessTold) {
  const auto outcome = run({"pwd"});

  EXPECT_EQ(outcome.out, init_.box().string() + "\n");
}

TEST_F(InitTest, TheWorkingDirectoryIsTheOneTold) {
  const auto outcome = init_.finish_after(program({"pwd"}) + frame('C', "/usr") + frame('G'));

  EXPECT_EQ(outcome.out, "/usr\n");
}

TEST_F(InitTest, FilesArriveWithTheirModesAndFolders) {
  const auto outcome = init_.finish_after(
      program({"./bin/deep/run"}, {.umask = 077}) + file_frame(0755, 27, "bin/deep/run") +
      frame('D', "#!/bin/sh\necho ran; ") + frame('D', "exit 4\n") + file_frame(0644, 0, "empty") +
      file_frame(0644, 3, "bin/data") + frame('D', "abc") + frame('G'));

  ASSERT_TRUE(outcome.verdict) << outcome.failure;
  EXPECT_EQ(outcome.out, "ran\n");
  EXPECT_EQ(outcome.verdict->exit_code, 4);
  EXPECT_EQ(content(init_.box() / "bin/data"), "abc");
  EXPECT_EQ(mode(init_.box() / "bin/deep/run"), 0755U);
  EXPECT_EQ(mode(init_.box() / "bin"), 0755U);
  EXPECT_EQ(mode(init_.box() / "empty"), 0644U);
}

TEST_F(InitTest, AFileIsNotWrittenThroughASymbolicLinkToAFolder) {
  std::filesystem::create_directory(init_.folder() / "outside");
  std::filesystem::permissions(init_.folder() / "outside", std::filesystem::perms::all);
  std::filesystem::create_directory_symlink(init_.folder() / "outside", init_.box() / "link");
  const auto outcome = init_.finish_after(program({"true"}) + file_frame(0644, 0, "link/file"));

  EXPECT_EQ(outcome.failure, "cannot write file 'link/file': Not a directory");
  EXPECT_FALSE(std::filesystem::exists(init_.folder() / "outside/file"));
}

TEST_F(InitTest, AFileThatExistsIsNotWrittenAgain) {
  const auto outcome = init_.finish_after(program({"true"}) + file_frame(0644, 0, "twice") +
                                          file_frame(0644, 0, "twice"));

  EXPECT_EQ(outcome.failure, "cannot write file 'twice': File exists");
}

}  // namespace
}  // namespace gantry::init_test
