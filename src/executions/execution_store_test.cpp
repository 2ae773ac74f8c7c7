#include "executions/execution_store.hpp"

#include "async/testing_fake.hpp"
#include "executions/upkeep_store.hpp"
#include "storage/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gantry::executions {
namespace {

using sandbox::Verdict;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ExecutionStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = loop_.run(storage::open_for_test(folder_.path() / "data"));
    loop_.run(store::migrate(*database_));
  }
  static Record record(const std::string& id) {
    return {.id = ExecutionId{id},
            .owner = "ann",
            .language = "python",
            .image = "python:3.11-alpine",
            .command = {"python3", "a b", "\"\n"},
            .source = "print()",
            .created_at = WallTime{Milliseconds{1'000}}};
  }
  void insert(const std::string& id) {
    loop_.run(store::insert(*database_, {{record(id), std::nullopt}}, std::nullopt, {}));
  }
  /// Inserts a finished one that wrote `size` bytes.
  void finish(const std::string& id, std::size_t size = 0) {
    insert(id);
    auto done = record(id);
    done.outcome = sandbox::Outcome{{.verdict = Verdict::ok, .exit_code = 0}};
    done.output = std::string(size, 'x');
    loop_.run(store::finish(*database_, done, 0, {}));
  }
  std::vector<std::string> ids() {
    std::vector<std::string> out;
    for (const auto& item :
         loop_.run(store::list(*database_, {.limit = 100, .cursor = ""}, Reach::everybodys()))
             .items) {
      out.push_back(item.id.text());
    }
    return out;
  }
  std::optional<Record> find(const std::string& id) {
    auto found = loop_.run(store::find(*database_, ExecutionId{id}));
    if (!found) return std::nullopt;
    return std::move(found->first);
  }

  async::TestLoop loop_;
  storage::TemporaryFolder folder_;
  std::unique_ptr<storage::Database> database_;
};

TEST_F(ExecutionStoreTest, AFinishedRecordComesBackWhole) {
  insert("a");
  auto done = record("a");
  done.outcome = sandbox::Outcome{{.verdict = Verdict::signalled,
                                   .exit_code = std::nullopt,
                                   .signal = 11,
                                   .message = "ended by SIGSEGV",
                                   .error_code = "engine_unreachable",
                                   .wall_time = Microseconds{1'500},
                                   .cpu_time = Microseconds{700},
                                   .memory_peak_bytes = 1ULL << 40U}};
  done.outcome->served_image = "gantry/python:latest";
  done.outcome->warm = true;
  done.output = std::string{"\0\xff\n", 3};
  done.errors = "e";
  done.started_at = WallTime{Milliseconds{2'000}};
  done.finished_at = WallTime{Milliseconds{3'000}};
  loop_.run(store::finish(*database_, done, 0, {}));

  auto back = find("a").value();
  EXPECT_EQ(back.state, State::finished);
  EXPECT_EQ(back.command, done.command);
  EXPECT_EQ(back.output, done.output);
  EXPECT_EQ(back.errors, "e");
  EXPECT_EQ(back.created_at, done.created_at);
  EXPECT_EQ(back.started_at, done.started_at);
  EXPECT_EQ(back.finished_at, done.finished_at);
  EXPECT_EQ(back.outcome->verdict, Verdict::signalled);
  EXPECT_EQ(back.outcome->exit_code, std::nullopt);
  EXPECT_EQ(back.outcome->signal, 11);
  EXPECT_EQ(back.outcome->message, "ended by SIGSEGV");
  EXPECT_EQ(back.outcome->error_code, "engine_unreachable");
  EXPECT_EQ(back.outcome->served_image, "gantry/python:latest");
  EXPECT_TRUE(back.outcome->warm);
  EXPECT_EQ(back.outcome->wall_time, Microseconds{1'500});
  EXPECT_EQ(back.outcome->cpu_time, Microseconds{700});
  EXPECT_EQ(back.outcome->memory_peak_bytes, 1ULL << 40U);
}

TEST_F(ExecutionStoreTest, TheFirstVerdictStays) {
  finish("a");
  auto second = record("a");
  second.outcome = sandbox::Outcome{{.verdict = Verdict::failed}};
  loop_.run(store::finish(*database_, second, 0, {}));
  EXPECT_EQ(find("a")->outcome->verdict, Verdict::ok);
}

TEST_F(ExecutionStoreTest, OnlyTheUnfinishedAreEnded) {
  finish("a");
  insert("b");
  insert("c");
  auto now = WallTime{Milliseconds{9'000}};
  EXPECT_EQ(loop_.run(store::end_unfinished(*database_, now, "cut off")), 2);
  EXPECT_EQ(find("a")->outcome->verdict, Verdict::ok);
  EXPECT_EQ(find("b")->outcome->verdict, Verdict::infrastructure_error);
  EXPECT_EQ(find("b")->outcome->message, "cut off");
  EXPECT_EQ(find("b")->outcome->error_code, "server_stopped");
  EXPECT_EQ(find("b")->finished_at, now);
  EXPECT_EQ(loop_.run(store::end_unfinished(*database_, now, "again")), 0);
}

TEST_F(ExecutionStoreTest, AListHasNoOutput) {
  finish("a", 10);
  auto page = loop_.run(store::list(*database_, {.limit = 1, .cursor = ""}, Reach::everybodys()));
  EXPECT_EQ(page.items.at(0).output, "");
  EXPECT_EQ(page.next, std::nullopt);
}

TEST_F(ExecutionStoreTest, APageTellsWhereTheNextBegins) {
  finish("a");
  finish("b");
  finish("c");
  auto page = loop_.run(store::list(*database_, {.limit = 2, .cursor = ""}, Reach::everybodys()));
  EXPECT_EQ(page.next, "b");
  auto rest = loop_.run(store::list(*database_, {.limit = 2, .cursor = "b"}, Reach::everybodys()));
  EXPECT_EQ(rest.items.at(0).id.text(), "a");
  EXPECT_EQ(rest.next, std::nullopt);
  EXPECT_THAT(
      loop_.run(store::list(*database_, {.limit = 2, .cursor = "a"}, Reach::everybodys())).items,
      IsEmpty());
}

TEST_F(ExecutionStoreTest, TheOldestOverTheNumberGo) {
  finish("a");
  finish("b");
  finish("c");
  loop_.run(store::retain(*database_, {2, Bytes{1'000}}, {}));
  EXPECT_THAT(ids(), ElementsAre("c", "b"));
}

TEST_F(ExecutionStoreTest, TheOldestOverTheBytesGo) {
  finish("a", 1);
  finish("b", 60);
  finish("c", 50);
  loop_.run(store::retain(*database_, {100, Bytes{100}}, {}));
  EXPECT_THAT(ids(), ElementsAre("c"));
}

TEST_F(ExecutionStoreTest, WhatSomebodyIsStillToBeToldOfStaysForAWhile) {
  auto end = [&](const std::string& id, const std::string& webhook) {
    auto done = record(id);
    done.webhook = webhook;
    done.outcome = sandbox::Outcome{{.verdict = Verdict::ok, .exit_code = 0}};
    done.finished_at = WallTime{Milliseconds{2'000}};
    loop_.run(store::finish(*database_, done, 0, {}, store::Row::absent));
  };
  end("a", "http://example.org/");
  end("b", "");
  end("c", "http://example.org/");
  end("d", "");
  end("e", "");
  auto retain = [&](WallTime now) { loop_.run(store::retain(*database_, {2, Bytes{1'000}}, now)); };
  WallTime ended{Milliseconds{2'000}};
  retain(ended);
  EXPECT_THAT(ids(), ElementsAre("e", "d", "c"));  // "a" is over twice the bound
  retain(ended + std::chrono::hours{1});
  EXPECT_THAT(ids(), ElementsAre("e", "d", "c"));
  retain(ended + std::chrono::hours{1} + Milliseconds{1});
  EXPECT_THAT(ids(), ElementsAre("e", "d"));
}

TEST_F(ExecutionStoreTest, WhatHasNoVerdictIsNeverDeleted) {
  insert("a");
  finish("b");
  finish("c");
  loop_.run(store::retain(*database_, {1, Bytes{1'000}}, {}));
  EXPECT_THAT(ids(), ElementsAre("c", "a"));
}

}  // namespace
}  // namespace gantry::executions
