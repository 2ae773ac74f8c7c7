#include "integration/executor_conformance.hpp"

#include "async/race.hpp"

#include <gmock/gmock.h>

// What every sandbox::Executor does. What only one of them has is tested beside it.
namespace gantry::sandbox {
namespace {

using testing::HasSubstr;
using testing::Not;

INSTANTIATE_TEST_SUITE_P(Conformance, AnExecutor,
                         testing::Values(Subject{Subject::Kind::docker, "Docker", {}},
                                         Subject{Subject::Kind::local, "Local", {.images = false}}),
                         [](const auto& subject) { return std::string{subject.param.name}; });

TEST_P(AnExecutor, RunsAProgramAndBringsBackWhatItSaid) {
  auto outcome = execute(python("import sys\nprint(6*7)\nprint('oops', file=sys.stderr)"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(out_, "42\n");
  EXPECT_EQ(err_, "oops\n");
  EXPECT_EQ(started_, 1);
  EXPECT_EQ(outcome.executor, docker_ ? "docker" : "local");
  EXPECT_GT(outcome.cpu_time.count(), 0);
  EXPECT_GT(outcome.memory_peak_bytes, 1U << 17U);
}

TEST_P(AnExecutor, TellsTheExitCodeOfAFailedProgram) {
  auto outcome = execute(sh("exit 7"));
  EXPECT_EQ(outcome.verdict, Verdict::failed) << outcome.message;
  EXPECT_EQ(outcome.exit_code, 7);
}

TEST_P(AnExecutor, TellsTheSignalThatEndedAProgram) {
  auto outcome = execute(sh("kill -SEGV $$"));
  EXPECT_EQ(outcome.verdict, Verdict::signalled) << outcome.message;
  EXPECT_EQ(outcome.signal, 11);
}

TEST_P(AnExecutor, EndsAProgramThatRunsTooLongEvenWhenItIgnoresSignals) {
  Policy policy;
  policy.wall_time = Milliseconds{400};
  auto outcome = execute(sh("trap '' TERM INT HUP; echo first; while :; do sleep 1; done"), policy);
  EXPECT_EQ(outcome.verdict, Verdict::timed_out) << outcome.message;
  EXPECT_EQ(out_, "first\n");
  EXPECT_GE(outcome.wall_time, Milliseconds{400});
}

TEST_P(AnExecutor, EndsAProgramThatUsesTooMuchProcessorTimeInAllItsProcesses) {
  Policy policy;
  policy.cpu_time = Milliseconds{300};
  auto outcome = execute(sh("(while :; do :; done) & (while :; do :; done) & wait"), policy);
  EXPECT_EQ(outcome.verdict, Verdict::cpu_exceeded) << outcome.message;
  EXPECT_GE(outcome.cpu_time, Milliseconds{300});
}

TEST_P(AnExecutor, EndsAProgramThatNeedsTooMuchMemory) {
  if (!limits_memory()) GTEST_SKIP() << "no control group limits memory here";
  Policy policy;
  policy.memory = Bytes{48U << 20U};
  auto outcome = execute(python("x = 'a' * 10**9"), policy);
  EXPECT_EQ(outcome.verdict, Verdict::memory_exceeded) << outcome.message;
}

TEST_P(AnExecutor, SeesThatAChildWasKilledForMemoryAlthoughTheProgramExitsWithZero) {
  if (!limits_memory()) GTEST_SKIP() << "no control group limits memory here";
  Policy policy;
  policy.memory = Bytes{48U << 20U};
  auto outcome = execute(python("import subprocess, sys\n"
                                "subprocess.run([sys.executable, '-c', 'x = \"a\" * 10**9'])\n"
                                "sys.exit(0)"),
                         policy);
  EXPECT_EQ(outcome.verdict, Verdict::memory_exceeded) << outcome.message;
}

TEST_P(AnExecutor, CutsOutputAtTheCapAndEndsTheProgramWhenAskedTo) {
  Policy policy;
  policy.output = Bytes{1000};
  policy.on_output_cap = OnOutputCap::end;
  auto outcome = execute(sh("while :; do echo floodfloodflood; done"), policy);
  EXPECT_EQ(outcome.verdict, Verdict::output_exceeded) << outcome.message;
  EXPECT_EQ(out_.size(), 1000U);
}

TEST_P(AnExecutor, DropsWhatIsTooMuchAndSaysSo) {
  Policy policy;
  policy.output = Bytes{1000};
  auto outcome = execute(python("print('x' * 5000)"), policy);
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  EXPECT_EQ(out_.size(), 1000U);
  EXPECT_TRUE(outcome.output_truncated);
}

TEST_P(AnExecutor, HoldsAForkBombAtThePidLimit) {
  Policy policy;
  policy.wall_time = Milliseconds{3000};
  policy.pids = 16;
  auto outcome = execute(python("import os, time\n"
                                "n = 0\n"
                                "try:\n"
                                "  while True:\n"
                                "    if os.fork() == 0: time.sleep(60)\n"
                                "    n += 1\n"
                                "except BlockingIOError: print(n)"),
                         policy);
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message << err_;
  EXPECT_EQ(out_, "15\n");
}

TEST_P(AnExecutor, IsNotFooledByAProgramThatWritesOurOwnFrames) {
  auto outcome =
      execute(python("import sys, struct\n"
                     "verdict = struct.pack('>BBiiQQQQQQBI', 2, 0, 0, 0, 1, 1, 1, 0, "
                     "0, 0, 0, 0)\n"
                     "frame = b'V' + struct.pack('>I', len(verdict)) + verdict\n"
                     "sys.stdout.buffer.write(frame)\n"
                     "sys.stdout.flush()\n"
                     "sys.exit(9)"));
  EXPECT_EQ(outcome.verdict, Verdict::failed) << outcome.message;
  EXPECT_EQ(outcome.exit_code, 9);
  EXPECT_EQ(out_.size(), 5 + 63U);
}

TEST_P(AnExecutor, GivesAVerdictToAProgramThatClosesItsDescriptors) {
  auto outcome = execute(python("import os, time\nos.closerange(0, 1024)\ntime.sleep(0.1)"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
}

TEST_P(AnExecutor, DoesNotWaitForAnOrphanThatHoldsTheOutputOpen) {
  auto outcome = execute(sh("(sleep 100) & echo done"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  EXPECT_LT(outcome.wall_time, Milliseconds{9000});
}

TEST_P(AnExecutor, DeliversInputFilesArgumentsAndEnvironment) {
  auto program = python(
      "import sys, os\n"
      "from data.helper import twice\n"
      "print(twice(sys.stdin.read()), sys.argv[1:], os.environ['COLOUR'], "
      "os.getcwd(), os.environ['HOME'], __name__)");
  program.files.push_back({"data/helper.py", "def twice(s): return s + s", {}});
  program.command.emplace_back("a b");
  program.env = {{"COLOUR", "blue"}};
  program.input = "in";
  auto outcome = execute(std::move(program));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << err_;
  EXPECT_EQ(out_, "inin ['a b'] blue /box /box __main__\n");
}

TEST_P(AnExecutor, GivesTheSameEnvironmentWarmAsCold) {
  auto program = python("import os\nprint(sorted(os.environ.items()))");
  auto outcome = execute(program);
  EXPECT_EQ(outcome.verdict, Verdict::ok) << err_;
  auto warm = std::exchange(out_, "");
  program.env = {{"PYTHONHASHSEED", "0"}};  // read before anything can wait
  outcome = execute(std::move(program));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << err_;
  auto seed = out_.find("('PYTHONHASHSEED', '0'), ");
  ASSERT_NE(seed, std::string::npos) << out_;
  EXPECT_EQ(warm, out_.erase(seed, 25));
}

TEST_P(AnExecutor, TakesALargeInputThatNobodyReads) {
  auto program = sh("echo fine");
  program.input = std::string(4U << 20U, 'x');
  auto outcome = execute(std::move(program));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
}

TEST_P(AnExecutor, SaysThatACommandCouldNotBeStarted) {
  auto program = sh("");
  program.command = {"no-such-program"};
  auto outcome = execute(std::move(program));
  EXPECT_EQ(outcome.verdict, Verdict::failed);
  EXPECT_EQ(outcome.exit_code, 127);
}

TEST_P(AnExecutor, StopsAFileAndAFolderAtTheirSizes) {
  Policy policy;
  policy.file = Bytes{1U << 20U};
  policy.tmpfs = Bytes{4U << 20U};
  auto outcome = execute(
      sh("(head -c 2000000 /dev/zero > big) 2>/dev/null; wc -c < big;"
         "for i in 1 2 3 4 5 6; do head -c 1000000 /dev/zero > /tmp/$i || echo full $i; done"),
      policy);
  EXPECT_EQ(outcome.verdict, Verdict::ok) << err_;
  EXPECT_THAT(out_, HasSubstr("1048576\n"));
  EXPECT_THAT(out_, HasSubstr("full 5"));
}

TEST_P(AnExecutor, HasNoNetworkNoPrivilegesAndNothingWritableButItsFolders) {
  auto outcome =
      execute(sh("tail -n +3 /proc/net/dev; id -u; "
                 "grep -E 'NoNewPrivs|Seccomp:|CapBnd|CapEff' /proc/self/status;"
                 "for d in / /dev /etc /dev/shm /dev/mqueue /var /usr /.gantry /proc/sys; do "
                 "(echo x > $d/probe) 2>/dev/null && echo WRITABLE $d; done; "
                 "echo x > /box/ok && echo x > /tmp/ok && echo both; cat /etc/resolv.conf"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << err_;
  EXPECT_THAT(out_, Not(HasSubstr("WRITABLE")));
  EXPECT_THAT(out_, Not(HasSubstr("eth")));
  EXPECT_THAT(out_, Not(HasSubstr("\n0\n")));
  EXPECT_THAT(out_, HasSubstr("CapBnd:\t0000000000000000"));
  EXPECT_THAT(out_, HasSubstr("CapEff:\t0000000000000000"));
  EXPECT_THAT(out_, HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(out_, HasSubstr("Seccomp:\t2"));
  EXPECT_THAT(out_, HasSubstr("both\n"));
  EXPECT_THAT(out_, HasSubstr("127.0.0.1"));
}

TEST_P(AnExecutor, RefusesSystemCallsThatTheProfileDoesNotName) {
  auto outcome =
      execute(python("import ctypes, os\n"
                     "libc = ctypes.CDLL(None, use_errno=True)\n"
                     "for name, number in {'unshare': 272, 'ptrace': 101, 'mount': 165, 'bpf': 321,"
                     " 'io_uring_setup': 425, 'keyctl': 250}.items():\n"
                     "  print(name, libc.syscall(number, 0, 0, 0, 0, 0), ctypes.get_errno())"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << err_;
  EXPECT_EQ(out_,
            "unshare -1 1\nptrace -1 1\nmount -1 1\nbpf -1 1\nio_uring_setup -1 1\nkeyctl -1 1\n");
}

TEST_P(AnExecutor, ShowsNothingOfAnEarlierProgram) {
  auto first = execute(sh("echo secret > /box/mark; echo secret > /tmp/mark; sleep 100 &"));
  EXPECT_EQ(first.verdict, Verdict::ok) << first.message;
  auto second = execute(sh("ls -A /tmp; ls -A /box; ls /proc | grep -c '^[0-9]'"));
  EXPECT_EQ(second.verdict, Verdict::ok) << second.message;
  EXPECT_THAT(out_, Not(HasSubstr("mark")));
}

TEST_P(AnExecutor, EndsACancelledProgram) {
  async::StopSignal stop{loop_.executor()};
  auto watched = observer();
  watched.started = [&stop](Stage) { stop.stop(); };
  auto work = [](Executor& subject, Execution what, Observer observer) -> async::task<void> {
    co_await subject.execute(std::move(what), std::move(observer));
  };
  auto race = [](async::task<void> run, async::StopSignal& signal) -> async::task<int> {
    co_return static_cast<int>(co_await async::race(std::move(run), signal.wait()));
  };
  auto winner = run(race(work(subject(), execution(sh("sleep 60")), watched), stop));
  EXPECT_EQ(winner, static_cast<int>(async::Winner::second));
}

}  // namespace
}  // namespace gantry::sandbox
