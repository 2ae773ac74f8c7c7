#include "async/deadline.hpp"
#include "executions/testing_fake.hpp"

#include <fstream>

// Executions and the folders that they keep.
namespace gantry::executions {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

/// A packed workspace with a folder.
const std::string packed = [] {
  sandbox::WorkspaceReader reader{sandbox::Workspace{}};
  reader.begin(std::string{"\0\0\x41\xed\0\0\0\0\0\0\0\0kept", 16});  // mode 040755
  return std::move(reader).take();
}();

class InWorkspaceTest : public ExecutionsFixture {
 protected:
  void SetUp() override {
    ExecutionsFixture::SetUp();
    start_again();
  }
  void start_again() {
    start({.running_max = 1, .workspaces = {.folder = folder_.path() / "workspaces"}});
  }
  Result<Record> submit_to(const std::string& workspace, const std::string& user = "ann") {
    sandbox::Policy policy;
    policy.filesystem = sandbox::Filesystem::workspace;
    policy.workspace = workspace;
    return loop_.run(executions_->submit(user, program(), policy));
  }
  /// The program that the sandbox has been given as the `number`th.
  ScriptedSandbox::Run& begun(std::size_t number) {
    while (sandbox_.runs.size() <= number) loop_.run(async::pause(Milliseconds{1}));
    return *sandbox_.runs[number];
  }
  Record ended(const Record& record) {
    return value_or_throw(loop_.run(executions_->wait(record.id, everybodys)));
  }
  static sandbox::Outcome leaving(std::optional<std::string> workspace) {
    sandbox::Outcome outcome{{.verdict = sandbox::Verdict::ok, .exit_code = 0}};
    outcome.workspace = std::move(workspace);
    return outcome;
  }
};

TEST_F(InWorkspaceTest, WhatOneLeavesTheNextOneGets) {
  auto first = submit_to("notes");
  ASSERT_TRUE(begun(0).execution.workspace);
  EXPECT_EQ(begun(0).execution.workspace->packed, "");
  begun(0).end(leaving(packed));
  ended(*first);
  submit_to("notes");
  EXPECT_EQ(begun(1).execution.workspace->packed, packed);
  begun(1).end(leaving(std::nullopt));
}

TEST_F(InWorkspaceTest, OneThatLeavesNothingLeavesTheOldCopy) {
  auto first = submit_to("notes");
  begun(0).end(leaving(packed));
  ended(*first);
  auto second = submit_to("notes");
  begun(1).end(leaving(std::nullopt));
  ended(*second);
  EXPECT_EQ(loop_.run(executions_->workspaces().find("ann", "notes"))->size.files, 1U);
}

TEST_F(InWorkspaceTest, OthersGetNone) {
  submit();
  EXPECT_FALSE(begun(0).execution.workspace);
  begun(0).end(leaving(packed));
}

TEST_F(InWorkspaceTest, OneThatWaitsHasItToo) {
  submit_to("one");
  submit_to("two");
  EXPECT_EQ(submit_to("two").error().code, "workspace_in_use");
  begun(0).end(leaving(std::nullopt));
  begun(1).end(leaving(std::nullopt));
}

TEST_F(InWorkspaceTest, OneThatIsCancelledInTheQueueGivesItBack) {
  submit_to("one");
  auto waiting = submit_to("two");
  ASSERT_TRUE(loop_.run(executions_->cancel(waiting->id, everybodys)));
  ended(*waiting);
  EXPECT_TRUE(submit_to("two"));
  begun(0).end(leaving(std::nullopt));
  begun(1).end(leaving(std::nullopt));
}

TEST_F(InWorkspaceTest, ABatchCanNotHaveOneTwice) {
  sandbox::Policy policy;
  policy.filesystem = sandbox::Filesystem::workspace;
  policy.workspace = "notes";
  Order order{.caller = {.user = "ann"}, .submissions = {}, .kind = Order::Kind::batch};
  for (int i = 0; i < 2; ++i) order.submissions.push_back({.program = program(), .policy = policy});
  EXPECT_EQ(place(std::move(order)).error().code, "workspace_in_use");
  EXPECT_TRUE(submit_to("notes"));
  begun(0).end(leaving(std::nullopt));
}

TEST_F(InWorkspaceTest, WhatWaitsThroughARestartFindsItAgain) {
  submit_to("one");
  auto waiting = submit_to("two");
  begun(0);
  stop();
  sandbox_.runs.clear();
  start_again();
  ASSERT_TRUE(begun(0).execution.workspace);
  EXPECT_EQ(submit_to("two").error().code, "workspace_in_use");
  begun(0).end(leaving(packed));
  EXPECT_EQ(ended(*waiting).outcome->verdict, sandbox::Verdict::ok);
}

TEST_F(InWorkspaceTest, ADamagedCopyIsTheVerdict) {
  auto first = submit_to("notes");
  begun(0).end(leaving(packed));
  ended(*first);
  std::ofstream{folder_.path() / "workspaces" / "of-ann" / "notes"} << "nonsense";
  auto record = ended(*submit_to("notes"));
  EXPECT_EQ(record.outcome->verdict, sandbox::Verdict::infrastructure_error);
  EXPECT_EQ(record.outcome->error_code, "workspace_damaged");
  EXPECT_THAT(sandbox_.runs, SizeIs(1));
}

TEST_F(InWorkspaceTest, WhatCanNotBeKeptIsSaid) {
  auto record = submit_to("notes");
  begun(0);  // It has been read.
  std::ofstream{folder_.path() / "workspaces"} << "no folder";
  begun(0).end(leaving(packed));
  auto outcome = *ended(*record).outcome;
  EXPECT_EQ(outcome.verdict, sandbox::Verdict::ok);
  EXPECT_THAT(outcome.message, HasSubstr("the workspace is kept as it was before: cannot make"));
}

}  // namespace
}  // namespace gantry::executions
