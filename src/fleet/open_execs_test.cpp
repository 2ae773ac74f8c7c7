#include "fleet/open_execs.hpp"

#include "access/audit_store.hpp"
#include "async/testing_fake.hpp"
#include "storage/testing_fake.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class OpenExecsTest : public testing::Test {
 protected:
  OpenExecsTest() {
    loop_.run(access::audit::migrate(*database_));
    // A server that was killed.
    auto killed = server("one");
    loop_.run(killed->start());
    note(*killed, "alpha", "first");
    note(*killed, "beta", "second");
  }
  ~OpenExecsTest() override { loop_.run(operations_.close()); }

  std::unique_ptr<OpenExecs> server(std::string owner) {
    return std::make_unique<OpenExecs>(
        *database_, operations_,
        OpenExecs::Settings{.clock = Clock{[this] { return now_; }}, .owner = std::move(owner)});
  }
  void note(OpenExecs& execs, std::string host, std::string exec) {
    engine::MarkedExec marked{.container = "c", .exec = std::move(exec), .mark = "GANTRY_EXEC=x"};
    loop_.run(execs.note(HostId{host}, std::move(marked)));
  }
  /// Of which hosts the next server asks, in their order; no host is there any more.
  std::vector<std::string> asked_by(std::string owner) {
    std::vector<std::string> asked;
    auto next = server(std::move(owner));
    loop_.run(next->start());
    loop_.run(next->end_left([&](const HostId& id) {
      asked.push_back(id.text());
      return std::shared_ptr<Host>{};
    }));
    std::ranges::sort(asked);
    return asked;
  }

  storage::TemporaryFolder folder_;
  async::TestLoop loop_;
  std::unique_ptr<storage::Database> database_ =
      loop_.run(storage::open_for_test(folder_.path() / "data"));
  Operations operations_{loop_.executor(), *database_, {}};
  WallTime now_ = Clock{}.now();
};

TEST_F(OpenExecsTest, AreKeptWholeWithWhatIsLearntLater) {
  engine::MarkedExec exec{.container = "c1",
                          .exec = "third",
                          .user = "1000",
                          .mark = "GANTRY_EXEC=x",
                          .shells = {"bash", "sh"}};
  auto one = server("one");
  loop_.run(one->note(HostId{"alpha"}, exec));
  exec.session = 42;
  loop_.run(one->note(HostId{"alpha"}, exec));
  auto rows = loop_.run(storage::transact(*database_, [](storage::Transaction& transaction) {
    return open_execs_store::load(transaction, "one");
  }));
  ASSERT_EQ(rows.size(), 3U);
  auto found = std::ranges::find(rows, "third", [](const OpenExec& row) { return row.exec.exec; });
  ASSERT_NE(found, rows.end());
  EXPECT_EQ(found->exec.shells, (std::vector<std::string>{"bash", "sh"}));
  EXPECT_EQ(found->exec.user, "1000");
  EXPECT_EQ(found->exec.session, 42);
}

TEST_F(OpenExecsTest, AreLookedForByTheSameServerOnEachHost) {
  EXPECT_THAT(asked_by("one"), ElementsAre("alpha", "beta"));
}

TEST_F(OpenExecsTest, AreForgottenWithTheHostsTheyWereOn) {
  asked_by("one");
  EXPECT_THAT(asked_by("one"), IsEmpty());
}

TEST_F(OpenExecsTest, AreLeftAloneByAServerWithACopyOfTheDatabase) {
  EXPECT_THAT(asked_by("two"), IsEmpty());
  EXPECT_THAT(asked_by("one"), ElementsAre("alpha", "beta"));
}

TEST_F(OpenExecsTest, AreGivenUpAfterAWeek) {
  now_ += std::chrono::days{8};
  EXPECT_THAT(asked_by("one"), IsEmpty());
}

TEST_F(OpenExecsTest, AreCrossedOutWhenTheyHaveEnded) {
  loop_.run(server("one")->cross_out("first"));
  EXPECT_THAT(asked_by("one"), ElementsAre("beta"));
}

}  // namespace
}  // namespace gantry::fleet
