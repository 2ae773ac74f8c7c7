#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "executions/executions.hpp"
#include "integration/executor_conformance.hpp"
#include "storage/testing_fake.hpp"

#include <gmock/gmock.h>

// A folder that is kept between executions, on the real executors: from the stored copy into a
// sandbox and back.
namespace gantry::executions {
namespace {

using sandbox::Filesystem;
using sandbox::Policy;
using sandbox::Subject;
using sandbox::Verdict;
using testing::HasSubstr;
using testing::IsEmpty;

class AWorkspace : public sandbox::AnExecutor {
 protected:
  void SetUp() override {
    AnExecutor::SetUp();
    if (IsSkipped() || HasFatalFailure() || (!docker_ && !local_)) return;
    database_ = run(storage::open("", folder_.path() / "data"));
    executions_ = std::make_unique<Executions>(
        executor(), *database_, subject(), workers_,
        Executions::Settings{.folder = folder_.path() / "executions",
                             .workspaces = {.folder = folder_.path() / "workspaces",
                                            .bytes_max = Bytes{100'000},
                                            .files_max = 20}});
    run(executions_->start());
  }
  void TearDown() override {
    if (executions_) run(executions_->close(Milliseconds{20'000}));
    executions_.reset();
    database_.reset();
    AnExecutor::TearDown();
  }

  static Policy policy() {
    Policy policy;
    policy.filesystem = Filesystem::workspace;
    policy.workspace = "notes";
    return policy;
  }
  Result<Record> submit(std::string user, sandbox::Program program, Policy policy) {
    return run(executions_->submit(std::move(user), std::move(program), std::move(policy)));
  }
  Record ended(const Record& record) {
    return value_or_throw(run(executions_->wait(record.id, Reach::everybodys())));
  }
  Record in_program(sandbox::Program program, std::string user = "ann", Policy limits = policy()) {
    return ended(value_or_throw(submit(std::move(user), std::move(program), std::move(limits))));
  }
  Record in(std::string script, std::string user = "ann", Policy limits = policy()) {
    return in_program(sh(std::move(script)), std::move(user), std::move(limits));
  }
  WorkspaceInfo info(std::string user = "ann") {
    return value_or_throw(run(executions_->workspaces().find(std::move(user), "notes")));
  }

  storage::TemporaryFolder folder_;
  async::Workers workers_{2, 64};
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Executions> executions_;
};

INSTANTIATE_TEST_SUITE_P(Executors, AWorkspace,
                         testing::Values(Subject{Subject::Kind::docker, "Docker", {}},
                                         Subject{Subject::Kind::local, "Local", {.images = false}}),
                         [](const auto& subject) { return std::string{subject.param.name}; });

TEST_P(AWorkspace, FilesAreMadeReadAndDeletedByOneProgramAfterTheOther) {
  auto made = in("mkdir -p workspace/deep; echo one > workspace/deep/file; echo > workspace/x");
  ASSERT_EQ(made.outcome->verdict, Verdict::ok) << made.outcome->message;
  EXPECT_EQ(info().size.files, 3U);
  EXPECT_EQ(in("cat workspace/deep/file; rm workspace/x").output, "one\n");
  EXPECT_EQ(in("ls workspace; rm -r workspace/deep").output, "deep\n");
  EXPECT_EQ(in("ls workspace").output, "");
}

TEST_P(AWorkspace, InterpretersThatWaitedFindIt) {
  async::TaskScope keeper{executor()};
  keeper.spawn("keeper", subject().maintain());
  in_program(python("open('workspace/state', 'w').write('kept')"));
  // The local one forks a Python that is booted, and prepares whole sandboxes for others only.
  bool warm = false;
  for (int i = 0; i < (docker_ ? 50 : 1) && !warm; ++i) {
    auto read = in_program(python("print(open('workspace/state').read())"));
    EXPECT_EQ(read.output, "kept\n") << read.errors << read.outcome->message;
    warm = read.outcome->warm;
  }
  EXPECT_EQ(warm, docker_ != nullptr);
  run(keeper.close());
}

TEST_P(AWorkspace, AProgramCanBeExecutedAndStartedThere) {
  in("printf '#!/bin/sh\\necho ran in $PWD' > workspace/run; chmod +x workspace/run");
  auto program = sh("./run");
  program.command = {"./run"};
  program.working_dir = "workspace";
  EXPECT_EQ(in_program(program).output, "ran in /box/workspace\n");
}

TEST_P(AWorkspace, ACompilationFindsItToo) {
  in("echo kept > workspace/x");
  auto program = sh("cat made");
  program.files.push_back({"compile.sh", "cp workspace/x made", {}});
  program.compile = sandbox::Compile{.command = {"sh", "compile.sh"}};
  EXPECT_EQ(in_program(program).output, "kept\n");
  EXPECT_EQ(info().size.files, 1U);
}

TEST_P(AWorkspace, LinksAreNotKeptAndLeadNowhere) {
  auto left =
      in("ln -s /etc/passwd workspace/link; ln -s /etc workspace/folder; echo x > workspace/x");
  EXPECT_THAT(left.outcome->message, HasSubstr("2 entries of the workspace are not kept"));
  EXPECT_EQ(in("ls workspace").output, "x\n");
  auto replaced = in("rm -r workspace; ln -s /etc workspace");
  EXPECT_THAT(replaced.outcome->message, HasSubstr("left no folder 'workspace'"));
  EXPECT_EQ(in("ls workspace").output, "x\n");
}

TEST_P(AWorkspace, WhatLiesTooDeepLeavesTheOldCopy) {
  in("echo old > workspace/x");
  auto deep = in("cd workspace; for i in $(seq 16); do mkdir d; cd d; done");
  EXPECT_EQ(deep.outcome->verdict, Verdict::ok);
  EXPECT_THAT(deep.outcome->message, HasSubstr("more than 15 folders"));
  EXPECT_EQ(in("ls workspace").output, "x\n");
}

TEST_P(AWorkspace, WhatIsTooLargeLeavesTheOldCopy) {
  in("echo old > workspace/x");
  auto large = in("head -c 100001 /dev/zero > workspace/x");
  EXPECT_EQ(large.outcome->verdict, Verdict::ok);
  EXPECT_THAT(large.outcome->message,
              HasSubstr("the workspace is kept as it was before: more than 100000 bytes"));
  auto many = in("for i in $(seq 21); do echo > workspace/$i; done");
  EXPECT_THAT(many.outcome->message, HasSubstr("more than 20 files and folders"));
  EXPECT_EQ(in("ls workspace; cat workspace/x").output, "x\nold\n");
}

TEST_P(AWorkspace, AProgramThatWasEndedLeavesTheOldCopyAndOneThatFailedDoesNot) {
  in("echo old > workspace/x");
  auto limits = policy();
  limits.wall_time = Milliseconds{500};
  auto late = in("echo new > workspace/x; sleep 20", "ann", limits);
  EXPECT_EQ(late.outcome->verdict, Verdict::timed_out);
  EXPECT_EQ(in("cat workspace/x; echo newer > workspace/x; exit 3").output, "old\n");
  EXPECT_EQ(in("cat workspace/x").output, "newer\n");
}

TEST_P(AWorkspace, OneThatIsCancelledLeavesTheOldCopyAndGivesItBack) {
  in("echo old > workspace/x");
  auto record = value_or_throw(submit("ann", sh("echo new > workspace/x; sleep 60"), policy()));
  while (executions_->counters().running == 0) run(executions_->changed());
  run(async::pause(Milliseconds{300}));
  EXPECT_TRUE(run(executions_->cancel(record.id, Reach::everybodys())));
  EXPECT_EQ(ended(record).outcome->verdict, Verdict::cancelled);
  EXPECT_EQ(in("cat workspace/x").output, "old\n");
}

TEST_P(AWorkspace, EverybodyHasTheirOwn) {
  in("echo of ann > workspace/x");
  EXPECT_EQ(in("ls workspace", "bob").output, "");
  EXPECT_EQ(in("cat workspace/x").output, "of ann\n");
  EXPECT_EQ(info("bob").size.files, 0U);
}

TEST_P(AWorkspace, OneExecutionHasItAtATime) {
  auto first = value_or_throw(submit("ann", sh("sleep 1"), policy()));
  EXPECT_EQ(submit("ann", sh("true"), policy()).error().code, "workspace_in_use");
  EXPECT_EQ(ended(value_or_throw(submit("bob", sh("true"), policy()))).outcome->verdict,
            Verdict::ok);
  ended(first);
  EXPECT_EQ(in("true").outcome->verdict, Verdict::ok);
}

TEST_P(AWorkspace, WithoutOneNothingIsKept) {
  in("mkdir workspace; echo x > workspace/x", "ann", {});
  EXPECT_THAT(run(executions_->workspaces().list("ann")), IsEmpty());
}

}  // namespace
}  // namespace gantry::executions
