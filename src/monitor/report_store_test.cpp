#include "monitor/report_store.hpp"

#include "async/testing_fake.hpp"
#include "storage/testing_fake.hpp"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::monitor {
namespace {

using doctor::State;
using fleet::HostId;

class ReportStoreTest : public testing::Test {
 protected:
  ReportStoreTest() { loop_.run(report_store::migrate(*database_)); }

  std::optional<KeptReport> find(const std::string& host) {
    return loop_.run(storage::transact(*database_, [&](storage::Transaction& transaction) {
      return report_store::find(transaction, HostId{host});
    }));
  }
  void put(const std::string& host, const KeptReport& report) {
    loop_.run(storage::transact(*database_, [&](storage::Transaction& transaction) {
      report_store::put(transaction, HostId{host}, report);
    }));
  }
  void keep_only(const std::vector<HostId>& hosts) {
    loop_.run(storage::transact(*database_, [&](storage::Transaction& transaction) {
      report_store::keep_only(transaction, hosts);
    }));
  }
  static KeptReport report(State state) {
    return {.at = WallTime{Milliseconds{1'800'000'000'123}},
            .way = "ssh://deploy@web1",
            .outcomes = {{"socket", "socket", state, "'/run/a\"b.sock' is there: ümläut",
                          WallTime{Milliseconds{1'800'000'000'123}}},
                         {"engine", "engine", State::unseen, "", WallTime{Milliseconds{1}}}}};
  }

  storage::TemporaryFolder folder_;
  async::TestLoop loop_;
  std::unique_ptr<storage::Database> database_ =
      loop_.run(storage::open_for_test(folder_.path() / "data"));
};

TEST_F(ReportStoreTest, GivesBackWhatWasPutLast) {
  EXPECT_EQ(find("a"), std::nullopt);
  put("a", report(State::ok));
  put("a", report(State::failed));
  EXPECT_EQ(find("a"), report(State::failed));
  EXPECT_EQ(find("b"), std::nullopt);
}

TEST_F(ReportStoreTest, ForgetsHostsThatAreGone) {
  put("a", report(State::ok));
  put("b", report(State::ok));
  keep_only({HostId{"b"}, HostId{"c"}});
  EXPECT_EQ(find("a"), std::nullopt);
  EXPECT_TRUE(find("b"));
}

TEST_F(ReportStoreTest, HasNothingWhereItsWordsAreNotKnown) {
  put("a", report(State::ok));
  for (const auto* text :
       {"nothing", "{}", "[]", R"({"way":"a"})", R"({"outcomes":[]})",
        R"({"way":"a","outcomes":[{"id":"a","title":"a","state":"grand","summary":"","at":1}]})",
        R"({"way":"a","outcomes":[{"id":"a","title":"a","state":"ok","summary":""}]})",
        R"({"way":"a","outcomes":[{"id":"a"}]})", R"({"way":"a","outcomes":[1]})"}) {
    loop_.run(storage::transact(*database_, [&](storage::Transaction& transaction) {
      transaction.execute("UPDATE doctor_reports SET outcomes = $1", std::string{text});
    }));
    EXPECT_EQ(find("a"), std::nullopt) << text;
  }
}

TEST_F(ReportStoreTest, IsMadeOnce) {
  put("a", report(State::ok));
  loop_.run(report_store::migrate(*database_));
  EXPECT_TRUE(find("a"));
}

}  // namespace
}  // namespace gantry::monitor
