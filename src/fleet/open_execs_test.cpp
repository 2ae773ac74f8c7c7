#include "fleet/open_execs.hpp"

#include "access/audit_store.hpp"
#include "async/testing_fake.hpp"
#include "storage/testing_fake.hpp"

#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

class OpenExecsTest : public testing::Test {
 protected:
  OpenExecsTest() : database_{loop_.run(storage::open_for_test(folder_.path() / "data"))} {
    loop_.run(access::audit::migrate(*database_));
    open_.emplace(*database_, operations_, settings());
    loop_.run(open_->start());
  }
  ~OpenExecsTest() override { loop_.run(operations_.close()); }

  OpenExecs::Settings settings() {
    return {.clock = Clock{[this] { return now_; }}, .ender = {}};
  }
  static engine::MarkedExec exec(std::string id) {
    return {.container = "c1",
            .exec = std::move(id),
            .user = "1000",
            .mark = "GANTRY_EXEC=x",
            .shells = {"bash", "sh"}};
  }
  std::vector<OpenExec> rows() {
    return loop_.run(storage::transact(*database_, [](storage::Transaction& transaction) {
      return open_execs_store::load(transaction);
    }));
  }

  async::TestLoop loop_;
  storage::TemporaryFolder folder_;
  std::unique_ptr<storage::Database> database_;
  WallTime now_{Seconds{1'800'000'000}};
  Operations operations_{loop_.executor(), *database_, Operations::Settings{}};
  std::optional<OpenExecs> open_;
};

TEST_F(OpenExecsTest, WhatIsNotedIsThereUntilItIsCrossedOut) {
  loop_.run(open_->note(HostId{"h1"}, exec("e1")));
  auto with_session = exec("e1");
  with_session.session = 42;
  loop_.run(open_->note(HostId{"h1"}, with_session));
  auto all = rows();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].host, HostId{"h1"});
  EXPECT_EQ(all[0].exec.mark, "GANTRY_EXEC=x");
  EXPECT_EQ(all[0].exec.shells, (std::vector<std::string>{"bash", "sh"}));
  EXPECT_EQ(all[0].exec.session, 42);
  loop_.run(open_->cross_out("e1"));
  EXPECT_TRUE(rows().empty());
}

TEST_F(OpenExecsTest, WhatIsOnAHostThatIsGoneIsForgotten) {
  loop_.run(open_->note(HostId{"h1"}, exec("e1")));
  open_.emplace(*database_, operations_, settings());
  loop_.run(open_->start());
  loop_.run(open_->end_left([](const HostId&) { return std::shared_ptr<Host>{}; }));
  EXPECT_TRUE(rows().empty());
}

TEST_F(OpenExecsTest, WhatWasNotReachedForLongIsNotLookedForAnyMore) {
  loop_.run(open_->note(HostId{"h1"}, exec("e1")));
  now_ += std::chrono::days{8};
  open_.emplace(*database_, operations_, settings());
  loop_.run(open_->start());
  EXPECT_TRUE(rows().empty());
}

}  // namespace
}  // namespace gantry::fleet
