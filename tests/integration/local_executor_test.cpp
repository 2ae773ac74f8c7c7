#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "integration/executor_conformance.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <linux/capability.h>
#include <sys/prctl.h>

// What only the local executor does.
namespace gantry::sandbox {
namespace {

using testing::HasSubstr;

/// The suite's fixture, with whatever settings the test wants.
class ALocalExecutor : public AnExecutor {
 protected:
  void TearDown() override {
    if (other_) run(other_->close());
    AnExecutor::TearDown();
  }
  LocalExecutor& with(LocalExecutor::Settings settings) {
    settings.owner = owner_ + "-other";
    other_ = std::make_unique<LocalExecutor>(executor(), std::move(settings));
    return *other_;
  }
  Outcome execute_in(LocalExecutor& local, Program program, Policy policy = {}) {
    return run(local.execute(execution(std::move(program), std::move(policy)), observer()));
  }

  std::unique_ptr<LocalExecutor> other_;
};

async::task<void> run_to_its_end(LocalExecutor& local, Execution execution, Observer observer) {
  co_await local.execute(std::move(execution), std::move(observer));
}

async::task<void> wait_for_output(const std::string& out) {
  for (int i = 0; i < 2'000 && out.empty(); ++i) co_await async::pause(Milliseconds{5});
}

INSTANTIATE_TEST_SUITE_P(Local, ALocalExecutor,
                         testing::Values(Subject{Subject::Kind::local, "Local", {}}),
                         [](const auto& subject) { return std::string{subject.param.name}; });

TEST_P(ALocalExecutor, RefusesWhatItHasNotWithTheReason) {
  auto program = sh("true");
  program.image = "alpine:3.20";
  auto outcome = execute(program);
  EXPECT_EQ(outcome.verdict, Verdict::infrastructure_error);
  EXPECT_THAT(outcome.message, HasSubstr("it asks for an image"));
  Policy policy;
  policy.network = Network::outbound;
  EXPECT_THAT(execute(sh("true"), policy).message, HasSubstr("it asks for a network"));
}

TEST_P(ALocalExecutor, RunsNothingUnlimitedUnlessItsOwnerTrustsEverybody) {
  auto& local = with({.prepared_max = 0, .cgroups = {}});
  auto outcome = execute_in(local, sh("true"));
  EXPECT_EQ(outcome.verdict, Verdict::infrastructure_error);
  EXPECT_THAT(outcome.message, HasSubstr("'local_trusted'"));
}

TEST_P(ALocalExecutor, LimitsProcessesAndEachMemoryWithoutControlGroups) {
  auto& local = with({.trust = Trust::everyone, .prepared_max = 0, .cgroups = {}});
  Policy policy;
  policy.pids = 16;
  policy.memory = Bytes{64U << 20U};
  auto outcome = execute_in(local,
                            python("import os, time\n"
                                   "try:\n  x = 'a' * 10**9\n"
                                   "except MemoryError: print('no memory')\n"
                                   "n = 0\n"
                                   "try:\n"
                                   "  while True:\n"
                                   "    if os.fork() == 0: time.sleep(60)\n"
                                   "    n += 1\n"
                                   "except BlockingIOError: print(n <= 16)"),
                            policy);
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message << err_;
  EXPECT_EQ(out_, "no memory\nTrue\n");
}

TEST_P(ALocalExecutor, PreparesSandboxesOnceSomebodyUsesIt) {
  auto& local = with({.trust = Trust::everyone, .prepared_max = 2});
  async::TaskScope keeper{executor()};
  keeper.spawn("keeper", local.maintain());
  EXPECT_FALSE(execute_in(local, python("print(1)")).warm);
  bool warm = false;
  for (int i = 0; i < 50 && !warm; ++i) warm = execute_in(local, python("print(1)")).warm;
  EXPECT_TRUE(warm);
  run(keeper.close());
}

TEST_P(ALocalExecutor, GivesEachNurserysProgramsAnotherHashSeed) {
  EXPECT_EQ(execute(python("print(hash('x'))")).verdict, Verdict::ok);
  auto first = std::exchange(out_, "");
  auto& local = with({.trust = Trust::everyone, .prepared_max = 0});
  EXPECT_EQ(execute_in(local, python("print(hash('x'))")).verdict, Verdict::ok);
  EXPECT_NE(first, out_);
}

TEST_P(ALocalExecutor, HidesThePreloadFromProgramsAndTheirChildren) {
  auto outcome =
      execute(python("import os, subprocess\n"
                     "words = open('/pro' + 'c/self/environ', 'rb').read() + \\\n"
                     "        subprocess.run(['env'], capture_output=True).stdout + \\\n"
                     "        repr(dict(os.environ)).encode()\n"
                     "print(b'LD_PRELOAD' in words, b'GANTRY' in words, b'PYTHONPATH' in words)"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message << err_;
  EXPECT_EQ(out_, "False False False\n");
}

TEST_P(ALocalExecutor, ShowsNothingOfTheMachineButItsPrograms) {
  auto outcome =
      execute(sh("ls /; ls /etc; cat /etc/passwd | wc -l; hostname; cat /proc/1/comm; "
                 "cat /proc/self/cgroup | grep -c gantry"));
  EXPECT_THAT(out_, testing::Not(HasSubstr("home")));
  EXPECT_THAT(out_, testing::Not(HasSubstr("var")));
  EXPECT_THAT(out_, HasSubstr("sandbox\n"));
  EXPECT_THAT(out_, testing::EndsWith("\n0\n"));
}

TEST_P(ALocalExecutor, GivesProgramsAPipeAsInputAsContainersDo) {
  auto outcome = execute(
      python("import os, stat, sys\n"
             "print(sys.stdin.seekable(), stat.S_ISFIFO(os.fstat(0).st_mode), sys.stdin.read())"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message << err_;
  EXPECT_EQ(out_, "False True \n");
}

TEST_P(ALocalExecutor, HidesWhatEnginesHideOfProc) {
  auto outcome = execute(
      sh("for f in kcore keys timer_list sched_debug latency_stats; do\n"
         "  [ ! -e /proc/$f ] || [ -c /proc/$f ] || echo $f\n"
         "done\n"
         "for f in acpi asound scsi firmware; do ls -A /proc/$f 2>/dev/null; done\n"
         "for f in bus fs irq sys sysrq-trigger; do\n"
         "  [ ! -e /proc/$f ] || grep -q \" /proc/$f proc ro,\" /proc/self/mounts || echo $f\n"
         "done\n"
         "grep -q . /proc/cpuinfo && grep -q . /proc/meminfo && echo rest"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message << err_;
  EXPECT_EQ(out_, "rest\n");
}

TEST_P(ALocalExecutor, KeepsProgramsFromLoweringTheirScoreForTheOomKiller) {
  if (::prctl(PR_CAPBSET_READ, CAP_SYS_RESOURCE) != 1 || own_privilege() != Privilege::root) {
    GTEST_SKIP() << "only root with CAP_SYS_RESOURCE can forbid it";
  }
  auto outcome =
      execute(python("path = '/proc/self/oom_score_adj'\n"
                     "for score in ('0', '499'):\n"
                     "  try: print(open(path, 'w').write(score))\n"
                     "  except PermissionError: print('refused')\n"
                     "print(open(path).read())"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message << err_;
  EXPECT_EQ(out_, "refused\nrefused\n1000\n\n");
}

// In a user namespace all programs are one user to the kernel, which counts what is in flight.
TEST_P(ALocalExecutor, BearsOthersWhileAProgramKeepsDescriptorsInFlight) {
  auto& local = with({.trust = Trust::everyone, .prepared_max = 0});
  auto fill = python(
      "import array, os, socket, time\n"
      "pairs = []\n"
      "try:\n"
      "  while True:\n"
      "    pairs.append(socket.socketpair())\n"
      "    fds = array.array('i', [0] * 250)\n"
      "    pairs[-1][0].sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])\n"
      "except OSError as error: print(error.errno, flush=True)\n"
      "time.sleep(60)");
  async::TaskScope scope{executor()};
  scope.spawn("filling", run_to_its_end(local, execution(fill), observer()));
  run(wait_for_output(out_));
  for (int i = 0; i < 3; ++i) {
    auto outcome = run(local.execute(execution(sh("true")), observer()));
    EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  }
  run(scope.close());
}

TEST_P(ALocalExecutor, EndsProgramsThatHideTheirMemoryInSockets) {
  if (!local_->capabilities().sockets) GTEST_SKIP() << "no control groups here";
  Policy policy;
  policy.memory = Bytes{64U << 20U};
  auto outcome = execute(
      python(
          "import socket, time\n"
          "door = socket.socket(); door.bind(('127.0.0.1', 0)); door.listen(100)\n"
          "kept = []\n"
          "for i in range(400):\n"
          "  one = socket.create_connection(door.getsockname()); kept += [one, door.accept()[0]]\n"
          "  for end in kept[-2:]:\n"
          "    end.setblocking(False)\n"
          "    try:\n"
          "      while True: end.send(b'x' * 65536)\n"
          "    except BlockingIOError: pass\n"
          "time.sleep(5)\n"),
      policy);
  EXPECT_EQ(outcome.verdict, Verdict::memory_exceeded) << outcome.message << err_;
}

TEST_P(ALocalExecutor, TakesNothingOverFromAControlGroupThatWasLeft) {
  if (!local_->capabilities().memory) GTEST_SKIP() << "no control groups here";
  auto layout = own_cgroup_layout();
  auto groups = Cgroups::open(layout, owner_ + "-old");
  auto first = groups.make("7");
  ASSERT_TRUE(first) << first.error().sentence();
  Policy small;
  small.pids = 3;
  ASSERT_TRUE(first->limit(small));
  auto limit_of_pids = [&] {
    auto folder = layout.v1.contains("pids") ? layout.v1.at("pids") : layout.v2.value();
    std::ifstream file{folder + "/gantry-" + owner_ + "-old/7/pids.max"};
    std::string text;
    file >> text;
    return text;
  };
  EXPECT_EQ(limit_of_pids(), "4");
  auto second = groups.make("7");
  ASSERT_TRUE(second) << second.error().sentence();
  EXPECT_EQ(limit_of_pids(), "max");
  groups.close();
}

TEST_P(ALocalExecutor, EndsWhatItPreparedForSomebodyWhoLeft) {
  auto& local = with({.trust = Trust::everyone, .prepared_max = 0});
  for (int ms : {0, 1, 3, 10, 30, 100}) {
    async::TaskScope scope{executor()};
    scope.spawn("left", run_to_its_end(local, execution(python("print(1)")), observer()));
    run(async::pause(Milliseconds{ms}));
    run(scope.close());
  }
  run(other_->close());
  auto layout = own_cgroup_layout();
  auto folders = layout.v1;
  if (layout.v2) folders.emplace("version 2", *layout.v2);
  for (const auto& [controller, folder] : folders) {
    EXPECT_FALSE(std::filesystem::exists(folder + "/gantry-" + owner_ + "-other")) << controller;
  }
  other_.reset();
}

TEST_P(ALocalExecutor, RemovesTheControlGroupsThatACrashLeft) {
  if (!local_->capabilities().memory) GTEST_SKIP() << "no control groups here";
  auto layout = own_cgroup_layout();
  auto groups = Cgroups::open(layout, owner_ + "-crashed");
  auto group = groups.make("7");
  ASSERT_TRUE(group) << group.error().sentence();
  auto found = [&] {
    auto folder = layout.v1.empty() ? *layout.v2 : layout.v1.begin()->second;
    return std::filesystem::exists(folder + "/gantry-" + owner_ + "-crashed");
  };
  EXPECT_TRUE(found());
  Cgroups::remove_leftovers(layout, owner_ + "-crashed");
  EXPECT_FALSE(found());
}

}  // namespace
}  // namespace gantry::sandbox
