#include "executions/workspaces.hpp"

#include "async/testing_fake.hpp"
#include "executions/testing_fake.hpp"

#include <fstream>
#include <iterator>

namespace gantry::executions {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A packed workspace with one file.
std::string packed(std::string_view path, std::string_view content) {
  sandbox::WorkspaceReader reader{sandbox::Workspace{}};
  std::string head{"\0\0\x01\xa4\0\0\0\0\0\0\0", 11};  // mode 0644
  head += static_cast<char>(content.size());
  reader.begin(head + std::string{path});
  reader.append(content);
  return std::move(reader).take();
}

class WorkspacesTest : public testing::Test {
 protected:
  Result<Workspaces::Lease> borrow(std::string account, std::string name,
                                   Bytes room = Bytes{100'000}) {
    return loop_.run(workspaces_.borrow(std::move(account), std::move(name), room));
  }
  void keep(std::string account, std::string name, std::string bytes) {
    auto lease = borrow(std::move(account), std::move(name));
    loop_.run(workspaces_.keep(*lease, std::move(bytes)));
  }
  std::vector<std::string> names(std::string account) {
    std::vector<std::string> all;
    for (const auto& info : loop_.run(workspaces_.list(std::move(account)))) {
      all.push_back(info.name);
    }
    return all;
  }

  async::TestLoop loop_;
  async::Workers workers_{1, 8};
  storage::TemporaryFolder folder_;
  Workspaces workspaces_{{.folder = folder_.path() / "workspaces", .user_max = 2}, workers_};
};

TEST_F(WorkspacesTest, ANewOneIsEmpty) {
  auto lease = borrow("ann", "data");
  auto workspace = loop_.run(workspaces_.load(*lease));
  ASSERT_TRUE(workspace);
  EXPECT_EQ(workspace->packed, "");
  EXPECT_THAT(names("ann"), IsEmpty());
}

TEST_F(WorkspacesTest, WhatIsKeptComesBack) {
  keep("ann", "data", packed("x", "one"));
  auto lease = borrow("ann", "data");
  EXPECT_EQ(loop_.run(workspaces_.load(*lease))->packed, packed("x", "one"));
  auto info = loop_.run(workspaces_.find("ann", "data"));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->size, (sandbox::WorkspaceSize{Bytes{3}, 1}));
  EXPECT_TRUE(info->in_use);
}

TEST_F(WorkspacesTest, ItIsTheUsersOwn) {
  keep("ann", "data", packed("x", "one"));
  EXPECT_EQ(loop_.run(workspaces_.load(*borrow("bob", "data")))->packed, "");
  EXPECT_EQ(loop_.run(workspaces_.find("bob", "data")).error().code, "no_such_workspace");
  EXPECT_EQ(loop_.run(workspaces_.remove("bob", "data")).error().code, "no_such_workspace");
  EXPECT_THAT(names("ann"), ElementsAre("data"));
}

TEST_F(WorkspacesTest, OneExecutionAtATimeHasIt) {
  {
    auto lease = borrow("ann", "data");
    ASSERT_TRUE(lease);
    EXPECT_EQ(borrow("ann", "data").error().code, "workspace_in_use");
    EXPECT_TRUE(borrow("bob", "data"));
  }
  EXPECT_TRUE(borrow("ann", "data"));
}

TEST_F(WorkspacesTest, AUserHasSoManyAndNoMore) {
  keep("ann", "a", "");
  auto second = borrow("ann", "b");
  ASSERT_TRUE(second);
  EXPECT_EQ(borrow("ann", "c").error().code, "too_many_workspaces");
  EXPECT_TRUE(borrow("ann", "a"));
  EXPECT_TRUE(borrow("bob", "c"));
}

TEST_F(WorkspacesTest, WhatTheWorkFolderCanNotHoldInPagesIsRefused) {
  keep("ann", "data", packed("x", "four"));
  EXPECT_EQ(borrow("ann", "data", Bytes{4'099}).error().code, "workspace_too_large");
  EXPECT_TRUE(borrow("ann", "data", Bytes{4'100}));
}

TEST_F(WorkspacesTest, OneThatIsInUseIsNotDeleted) {
  keep("ann", "data", packed("x", "one"));
  {
    auto lease = borrow("ann", "data");
    EXPECT_EQ(loop_.run(workspaces_.remove("ann", "data")).error().code, "workspace_in_use");
  }
  EXPECT_TRUE(loop_.run(workspaces_.remove("ann", "data")));
  EXPECT_THAT(names("ann"), IsEmpty());
}

TEST_F(WorkspacesTest, ADamagedCopyIsNotUsed) {
  keep("ann", "data", packed("x", "one"));
  auto path = folder_.path() / "workspaces" / "of-ann" / "data";
  std::ofstream{path, std::ios::app} << "more";
  auto loaded = loop_.run(workspaces_.load(*borrow("ann", "data")));
  EXPECT_EQ(loaded.error().code, "workspace_damaged");
  EXPECT_THAT(loaded.error().message, HasSubstr("'data'"));
}

TEST_F(WorkspacesTest, AnAccountIsNoPath) {
  keep("../../etc", "data", packed("x", "one"));
  EXPECT_THAT(names("../../etc"), ElementsAre("data"));
  auto inside = std::filesystem::directory_iterator{folder_.path() / "workspaces"};
  EXPECT_EQ(std::distance(begin(inside), end(inside)), 1);
}

TEST_F(WorkspacesTest, WhatACrashLeftHalfWrittenIsNoWorkspace) {
  keep("ann", "data", packed("x", "one"));
  auto draft = folder_.path() / "workspaces" / "of-ann" / "data.new";
  std::ofstream{draft} << "half";
  EXPECT_THAT(names("ann"), ElementsAre("data"));
  loop_.run(workspaces_.remove_drafts());
  EXPECT_FALSE(std::filesystem::exists(draft));
  EXPECT_THAT(names("ann"), ElementsAre("data"));
}

TEST_F(WorkspacesTest, OneThatCouldNotBeKeptLeavesNothingBehind) {
  keep("ann", "other", "");
  auto lease = borrow("ann", "data");
  auto place = folder_.path() / "workspaces" / "of-ann" / "data";
  std::filesystem::create_directories(place);
  EXPECT_THROW(loop_.run(workspaces_.keep(*lease, packed("x", "one"))), Failure);
  EXPECT_FALSE(std::filesystem::exists(place += ".new"));
}

}  // namespace
}  // namespace gantry::executions
