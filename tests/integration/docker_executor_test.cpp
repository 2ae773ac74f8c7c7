// What every executor promises, on a real engine. The programs are small; the promises are not.
#include "sandbox/docker_executor.hpp"

#include "async/deadline.hpp"
#include "async/race.hpp"
#include "base/random.hpp"
#include "engine/containers.hpp"
#include "integration/real_engine.hpp"
#include "sandbox/labels.hpp"

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

class ADockerExecutor : public RealEngine {
 protected:
  void SetUp() override {
    RealEngine::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    executor_ = std::make_unique<DockerExecutor>(loop_.executor(), engine(),
                                                 DockerExecutor::Settings{.owner = owner_});
  }
  void TearDown() override {
    if (executor_) {
      run(executor_->settled());
      EXPECT_EQ(left_behind(), 0U);
      run(executor_->close());
    }
    RealEngine::TearDown();
  }

  std::size_t left_behind() {
    auto listed = run(engine::list_containers(engine(), engine::ListScope::all,
                                              {fmt::format("{}={}", labels::owner, owner_)}));
    return listed.value().size();
  }

  static Program python(std::string source) {
    return {.language = "python",
            .image = "gantry/python:latest",
            .command = {"python3", "-u", "main.py"},
            .files = {{"main.py", std::move(source), {}}},
            .env = {},
            .input = {}};
  }
  static Program sh(std::string source) {
    return {.language = "sh",
            .image = "gantry/sh:latest",
            .command = {"sh", "main.sh"},
            .files = {{"main.sh", std::move(source), {}}},
            .env = {},
            .input = {}};
  }

  Execution execution(Program program, Policy policy) {
    return {ExecutionId{random::word(26)}, std::move(program), policy};
  }
  Observer observer() {
    return {.progress = [](std::string) {},
            .started = [this](Stage) { ++started_; },
            .output =
                [this](OutputStream stream, std::string_view bytes) {
                  (stream == OutputStream::standard_output ? out_ : err_).append(bytes);
                }};
  }
  Outcome execute(Program program, Policy policy = {}) {
    return run(executor_->execute(execution(std::move(program), policy), observer()));
  }

  std::string owner_ = "test-" + random::word(12);
  std::unique_ptr<DockerExecutor> executor_;
  std::string out_;
  std::string err_;
  int started_ = 0;
};

TEST_F(ADockerExecutor, RunsAProgramAndBringsBackWhatItSaid) {
  auto outcome = execute(python("import sys\nprint(6*7)\nprint('oops', file=sys.stderr)"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(out_, "42\n");
  EXPECT_EQ(err_, "oops\n");
  EXPECT_EQ(outcome.served_image, "gantry/python:latest");
  EXPECT_EQ(started_, 1);
  EXPECT_GT(outcome.cpu_time.count(), 0);
  EXPECT_GT(outcome.memory_peak_bytes, 1U << 20U);
}

TEST_F(ADockerExecutor, TellsTheExitCodeOfAFailedProgram) {
  auto outcome = execute(sh("exit 7"));
  EXPECT_EQ(outcome.verdict, Verdict::failed) << outcome.message;
  EXPECT_EQ(outcome.exit_code, 7);
}

TEST_F(ADockerExecutor, TellsTheSignalThatEndedAProgram) {
  auto outcome = execute(sh("kill -SEGV $$"));
  EXPECT_EQ(outcome.verdict, Verdict::signalled) << outcome.message;
  EXPECT_EQ(outcome.signal, 11);
}

TEST_F(ADockerExecutor, EndsAProgramThatRunsTooLongEvenWhenItIgnoresSignals) {
  Policy policy;
  policy.wall_time = Milliseconds{400};
  auto outcome = execute(sh("trap '' TERM INT HUP; echo first; while :; do sleep 1; done"), policy);
  EXPECT_EQ(outcome.verdict, Verdict::timed_out) << outcome.message;
  EXPECT_EQ(out_, "first\n");
  EXPECT_GE(outcome.wall_time, Milliseconds{400});
}

TEST_F(ADockerExecutor, EndsAProgramThatUsesTooMuchProcessorTimeInAllItsProcesses) {
  Policy policy;
  policy.cpu_time = Milliseconds{300};
  auto outcome = execute(sh("(while :; do :; done) & (while :; do :; done) & wait"), policy);
  EXPECT_EQ(outcome.verdict, Verdict::cpu_exceeded) << outcome.message;
  EXPECT_GE(outcome.cpu_time, Milliseconds{300});
}

TEST_F(ADockerExecutor, EndsAProgramThatNeedsTooMuchMemory) {
  Policy policy;
  policy.memory = Bytes{48U << 20U};
  auto outcome = execute(python("x = 'a' * 10**9"), policy);
  EXPECT_EQ(outcome.verdict, Verdict::memory_exceeded) << outcome.message;
}

TEST_F(ADockerExecutor, SeesThatAChildWasKilledForMemoryAlthoughTheProgramExitsWithZero) {
  Policy policy;
  policy.memory = Bytes{48U << 20U};
  auto outcome = execute(python("import subprocess, sys\n"
                                "subprocess.run([sys.executable, '-c', 'x = \"a\" * 10**9'])\n"
                                "sys.exit(0)"),
                         policy);
  EXPECT_EQ(outcome.verdict, Verdict::memory_exceeded) << outcome.message;
}

TEST_F(ADockerExecutor, CutsOutputAtTheCapAndEndsTheProgram) {
  Policy policy;
  policy.output = Bytes{1000};
  policy.on_output_cap = OnOutputCap::end;
  auto outcome = execute(sh("while :; do echo floodfloodflood; done"), policy);
  EXPECT_EQ(outcome.verdict, Verdict::output_exceeded) << outcome.message;
  EXPECT_EQ(out_.size(), 1000U);
}

TEST_F(ADockerExecutor, HoldsAForkBombAtThePidLimit) {
  Policy policy;
  policy.wall_time = Milliseconds{1500};
  policy.pids = 16;
  auto outcome = execute(python("import os, time\n"
                                "n = 0\n"
                                "try:\n"
                                "  while True:\n"
                                "    if os.fork() == 0: time.sleep(60)\n"
                                "    n += 1\n"
                                "except BlockingIOError: print(n)"),
                         policy);
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  EXPECT_EQ(out_, "15\n");
}

TEST_F(ADockerExecutor, IsNotFooledByAProgramThatWritesOurOwnFrames) {
  auto outcome = execute(python(
      "import sys, struct\n"
      "verdict = struct.pack('>BBiiQQQQQQ', 1, 0, 0, 0, 1, 1, 1, 0, 0, 0)\n"
      "frame = b'V' + struct.pack('>I', len(verdict)) + verdict\n"
      "sys.stdout.buffer.write(frame + b'\\x01\\0\\0\\0' + struct.pack('>I', len(frame)) + frame)\n"
      "sys.stdout.flush()\n"
      "sys.exit(9)"));
  EXPECT_EQ(outcome.verdict, Verdict::failed) << outcome.message;
  EXPECT_EQ(outcome.exit_code, 9);
  EXPECT_EQ(out_.size(), 2 * (5 + 58) + 8U);
}

TEST_F(ADockerExecutor, GivesAVerdictToAProgramThatClosesItsDescriptors) {
  auto outcome = execute(python("import os, time\nos.closerange(0, 1024)\ntime.sleep(0.1)"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
}

TEST_F(ADockerExecutor, DoesNotWaitForAnOrphanThatHoldsTheOutputOpen) {
  auto outcome = execute(sh("(sleep 100) & echo done"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  EXPECT_LT(outcome.wall_time, Milliseconds{5000});
}

TEST_F(ADockerExecutor, DeliversInputFilesArgumentsAndEnvironment) {
  auto program = python(
      "import sys, os\n"
      "from data.helper import twice\n"
      "print(twice(sys.stdin.read()), sys.argv[1:], os.environ['COLOUR'], "
      "os.getcwd(), os.environ['HOME'])");
  program.files.push_back({"data/helper.py", "def twice(s): return s + s", {}});
  program.command.emplace_back("a b");
  program.env = {{"COLOUR", "blue"}};
  program.input = "in";
  auto outcome = execute(std::move(program));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << err_;
  EXPECT_EQ(out_, "inin ['a b'] blue /box /box\n");
}

TEST_F(ADockerExecutor, TakesALargeInputThatNobodyReads) {
  auto program = sh("echo fine");
  program.input = std::string(4U << 20U, 'x');
  auto outcome = execute(std::move(program));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
}

TEST_F(ADockerExecutor, SaysThatACommandCouldNotBeStarted) {
  auto program = sh("");
  program.command = {"no-such-program"};
  auto outcome = execute(std::move(program));
  EXPECT_EQ(outcome.verdict, Verdict::failed);
  EXPECT_EQ(outcome.exit_code, 127);
}

TEST_F(ADockerExecutor, HasNoNetworkNoPrivilegesAndNothingWritableButItsFolders) {
  auto outcome =
      execute(sh("ls /sys/class/net; id -u; grep -E 'NoNewPrivs|Seccomp:|CapBnd' /proc/self/status;"
                 "for d in / /dev /etc /dev/shm /dev/mqueue /var /usr /.gantry /proc/sys; do "
                 "(echo x > $d/probe) 2>/dev/null && echo WRITABLE $d; done; "
                 "echo x > /box/ok && echo x > /tmp/ok && echo both; cat /etc/resolv.conf"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << err_;
  EXPECT_EQ(out_.find("WRITABLE"), std::string::npos) << out_;
  EXPECT_NE(out_.find("lo\n4"), std::string::npos) << out_;
  EXPECT_NE(out_.find("CapBnd:\t0000000000000000"), std::string::npos) << out_;
  EXPECT_NE(out_.find("NoNewPrivs:\t1"), std::string::npos) << out_;
  EXPECT_NE(out_.find("Seccomp:\t2"), std::string::npos) << out_;
  EXPECT_NE(out_.find("both\n"), std::string::npos) << out_;
  EXPECT_NE(out_.find("127.0.0.1"), std::string::npos) << out_;
}

TEST_F(ADockerExecutor, EndsACancelledProgramAndRemovesItsContainer) {
  async::StopSignal stop{loop_.executor()};
  auto watched = observer();
  watched.started = [&stop](Stage) { stop.stop(); };
  auto work = [](DockerExecutor& docker, Execution what, Observer observer) -> async::task<void> {
    co_await docker.execute(std::move(what), std::move(observer));
  };
  auto race = [](async::task<void> run, async::StopSignal& signal) -> async::task<int> {
    co_return static_cast<int>(co_await async::race(std::move(run), signal.wait()));
  };
  auto winner = run(race(work(*executor_, execution(sh("sleep 60"), {}), watched), stop));
  EXPECT_EQ(winner, static_cast<int>(async::Winner::second));
  EXPECT_EQ(left_behind(), 0U);
}

/// Removes what carries the label once the program runs, as somebody else might.
async::task<void> remove_when_begun(engine::Client& engine, std::string label, const int& begun) {
  while (begun == 0) co_await async::pause(Milliseconds{10});
  auto found = co_await engine::list_containers(engine, engine::ListScope::all, {label});
  for (const auto& container : value_or_throw(std::move(found))) {
    value_or_throw(co_await engine::remove_container(engine, container.id, {.force = true}));
  }
}

async::task<void> keep(async::task<Outcome> run, Outcome& into) { into = co_await std::move(run); }

TEST_F(ADockerExecutor, IsNotFooledBySomebodyWhoRemovesTheContainerOfAProgram) {
  Outcome outcome;
  auto label = fmt::format("{}={}", labels::owner, owner_);
  run(async::both(keep(executor_->execute(execution(sh("sleep 60"), {}), observer()), outcome),
                  remove_when_begun(engine(), label, started_)));
  EXPECT_EQ(outcome.verdict, Verdict::infrastructure_error);
  EXPECT_FALSE(outcome.message.empty());
  EXPECT_EQ(execute(sh("echo again")).verdict, Verdict::ok);
  EXPECT_EQ(out_, "again\n");
}

TEST_F(ADockerExecutor, SaysWhatIsWrongWhenThereIsNoSuchImage) {
  auto program = sh("");
  program.image = "127.0.0.1:9/nobody/nothing:1";
  auto outcome = execute(std::move(program));
  EXPECT_EQ(outcome.verdict, Verdict::infrastructure_error);
  EXPECT_NE(outcome.message.find("127.0.0.1:9/nobody/nothing"), std::string::npos)
      << outcome.message;
}

TEST_F(ADockerExecutor, ServesAnAliasWhileTheImageCanNotBePulled) {
  auto program = sh("echo served");
  program.image = "127.0.0.1:9/alpine:latest";
  DockerExecutor aliased{
      loop_.executor(),
      engine(),
      {.owner = owner_,
       .images = {.aliases = {{"127.0.0.1:9/alpine:latest", "gantry/sh:latest"}}},
       .clock = {}}};
  auto outcome = run(aliased.execute(execution(std::move(program), {}), observer()));
  run(aliased.close());
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  EXPECT_EQ(outcome.served_image, "gantry/sh:latest");
}

TEST_F(ADockerExecutor, SweepsWhatACrashOfItsServerLeftBehind) {
  engine::ContainerSpec spec;
  spec.image = "gantry/sh:latest";
  spec.entrypoint = std::vector<std::string>{"sleep", "60"};
  spec.labels = {{labels::owner, owner_}, {labels::kind, "sandbox"}, {labels::execution, "gone"}};
  auto created = run(engine::create_container(
      engine(), Slots::container_name(Slots::first + static_cast<int>(random::below(Slots::count))),
      spec));
  ASSERT_TRUE(created) << created.error().sentence();
  EXPECT_EQ(left_behind(), 1U);
  auto swept = run(executor_->sweep());
  EXPECT_EQ(swept.value(), 1);
}

}  // namespace
}  // namespace gantry::sandbox
