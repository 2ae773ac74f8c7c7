#include "integration/executor_conformance.hpp"

#include <filesystem>

#include <gmock/gmock.h>

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
