#include "fleet/operations.hpp"

#include "async/testing_fake.hpp"
#include "engine/containers.hpp"
#include "engine/fake_daemon_fake.hpp"
#include "storage/testing_fake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class FleetOperations : public testing::Test {
 protected:
  FleetOperations() {
    database_ = loop_.run(storage::open_for_test(folder_.path() / "data"));
    loop_.run(access::audit::migrate(*database_));
    operations_.emplace(loop_.executor(), *database_,
                        Operations::Settings{.clock = Clock{},
                                             .running_max = 2,
                                             .waiting_max = 1,
                                             .turn_max = Milliseconds{10'000}});
  }
  ~FleetOperations() override { loop_.run(operations_->close()); }

  static Operation stop_of(std::string object) {
    return {.actor = {.name = "ada", .id = "u1", .by = "token"},
            .host = "local",
            .action = "container.stop",
            .object = std::move(object),
            .parameters = {{"grace_seconds", 5}}};
  }
  template <class T>
  T run(async::task<T> work) {
    return loop_.run(std::move(work));
  }
  /// Oldest first, when all of them are there.
  std::vector<access::AuditEntry> entries() {
    loop_.run(operations_->close());
    auto page = value_or_throw(loop_.run(storage::transact(
        *database_, [](storage::Transaction& one) { return access::audit::list(one, 100, ""); })));
    std::vector<access::AuditEntry> out;
    for (auto& record : page.items) out.insert(out.begin(), std::move(record.entry));
    return out;
  }
  std::vector<std::string> outcomes() {
    std::vector<std::string> out;
    for (const auto& entry : entries()) out.push_back(entry.outcome);
    return out;
  }
  void break_audit() {
    // tidy: sql because the log is to be one that can not be written
    loop_.run(database_->run([](storage::Transaction& one) { one.execute("DROP TABLE audit"); }));
  }

  storage::TemporaryFolder folder_;
  async::TestLoop loop_;
  engine::FakeDaemon daemon_;
  std::unique_ptr<engine::Client> client_ = daemon_.client(loop_.executor());
  std::unique_ptr<storage::Database> database_;
  std::optional<Operations> operations_;
};

async::task<void> wait_and_count(async::Event& released, int& running, int& most) {
  most = std::max(most, ++running);
  co_await released.wait();
  --running;
}

async::task<Result<>> held(async::Event& released, int& running, int& most) {
  co_await wait_and_count(released, running, most);
  co_return ok;
}

async::task<void> keep_code(async::task<Result<>> work, std::string& code) {
  auto answer = co_await std::move(work);
  code = answer ? "ok" : answer.error().code;
}

TEST_F(FleetOperations, TheRowIsWrittenBeforeTheEngineIsAskedAndTheOutcomeAfter) {
  daemon_.expect("POST", "/containers/web/stop?t=5").reply_with([&](const auto&) {
    return net::ScriptedServer::Reply{.status = 204, .body = {}, .headers = {}};
  });
  auto done =
      run(operations_->run(stop_of("web"), engine::stop_container(*client_, "web", Seconds{5})));
  EXPECT_TRUE(done);
  auto rows = entries();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].actor, "ada");
  EXPECT_EQ(rows[0].action, "container.stop");
  EXPECT_EQ(rows[0].target, "local/web");
  EXPECT_EQ(rows[0].outcome, "begun");
  EXPECT_THAT(rows[0].details, HasSubstr(R"("parameters":{"grace_seconds":5})"));
  EXPECT_EQ(rows[1].outcome, "ok");
  auto first = value_or_throw(json::parse(rows[0].details, json::Keys::strict)).as_object();
  auto second = value_or_throw(json::parse(rows[1].details, json::Keys::strict)).as_object();
  EXPECT_EQ(first["operation"], second["operation"]);
  EXPECT_EQ(second["user_id"], "u1");
}

TEST_F(FleetOperations, WithoutItsRowNothingHappens) {
  break_audit();
  auto done =
      run(operations_->run(stop_of("web"), engine::stop_container(*client_, "web", Seconds{5})));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "audit_unavailable");
  EXPECT_EQ(daemon_.server().connections(), 0U);
}

TEST_F(FleetOperations, ARefusalOfTheEngineIsTheOutcome) {
  daemon_.expect("POST", "/containers/web/stop?t=5")
      .reply(404, R"({"message":"No such container"})");
  auto done =
      run(operations_->run(stop_of("web"), engine::stop_container(*client_, "web", Seconds{5})));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::not_found);
  EXPECT_THAT(outcomes(), ElementsAre("begun", "engine_not_found"));
}

TEST_F(FleetOperations, AnEngineThatIsAwayIsAnErrorAndAnOutcome) {
  daemon_.server().refuse_connections({ErrorKind::unavailable, "not_listening", "gone", {}});
  auto done =
      run(operations_->run(stop_of("web"), engine::stop_container(*client_, "web", Seconds{5})));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "engine_not_running");
  EXPECT_THAT(outcomes(), ElementsAre("begun", "engine_not_running"));
}

TEST_F(FleetOperations, TheCallHasADeadline) {
  daemon_.expect("POST", "/containers/web/stop?t=5").hang();
  auto operation = stop_of("web");
  operation.deadline = Milliseconds{20};
  auto done = run(
      operations_->run(std::move(operation), engine::stop_container(*client_, "web", Seconds{5})));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::timed_out);
  EXPECT_THAT(outcomes(), ElementsAre("begun", "timed_out"));
}

TEST_F(FleetOperations, WhatIsCutOffByTheServersEndIsInterrupted) {
  async::Event released{loop_.executor()};
  int running = 0;
  int most = 0;
  std::string code;
  async::TaskScope scope{loop_.executor()};
  scope.spawn("one",
              keep_code(operations_->run(stop_of("web"), held(released, running, most)), code));
  run(async::until([&] { return running == 1; }));
  run(scope.close());
  EXPECT_THAT(outcomes(), ElementsAre("begun", "interrupted"));
}

TEST_F(FleetOperations, OfOneHostOnlySoManyRunAtOnceAndTheRestWaitOrIsRefused) {
  async::Event released{loop_.executor()};
  int running = 0;
  int most = 0;
  std::vector<std::string> codes(4);
  async::TaskScope scope{loop_.executor()};
  for (auto& code : codes) {
    scope.spawn("one",
                keep_code(operations_->run(stop_of("web"), held(released, running, most)), code));
  }
  run(async::until([&] { return running == 2 && codes[3] == "host_busy"; }));
  // Another host's do not wait for them.
  auto elsewhere = stop_of("web");
  elsewhere.host = "edge-1";
  daemon_.expect("POST", "/containers/web/stop?t=5").reply(204);
  EXPECT_TRUE(run(
      operations_->run(std::move(elsewhere), engine::stop_container(*client_, "web", Seconds{5}))));
  released.notify();
  run(async::until([&] { return running == 1; }));
  released.notify();
  run(scope.join());
  EXPECT_EQ(most, 2);
  EXPECT_THAT(codes, ElementsAre("ok", "ok", "ok", "host_busy"));
}

TEST_F(FleetOperations, SecretsAreMaskedAtAnyDepthBeforeTheyAreWritten) {
  auto operation = stop_of("web");
  operation.parameters = {{"env", json::Array{"DB_PASSWORD=hunter2", "MODE=fast"}},
                          {"registry", json::Object{{"token", "tok-123"}, {"user", "bob"}}}};
  EXPECT_TRUE(run(operations_->note(std::move(operation))));
  auto rows = entries();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].outcome, "ok");
  EXPECT_THAT(rows[0].details, HasSubstr("DB_PASSWORD=****"));
  EXPECT_THAT(rows[0].details, HasSubstr("MODE=fast"));
  EXPECT_THAT(rows[0].details, HasSubstr("bob"));
  EXPECT_THAT(rows[0].details, Not(HasSubstr("hunter2")));
  EXPECT_THAT(rows[0].details, Not(HasSubstr("tok-123")));
}

TEST_F(FleetOperations, WhatLastsTellsItsEndOnce) {
  {
    auto underway = value_or_throw(run(operations_->begin(stop_of("web"))));
    underway.succeeded({{"recorded", true}});
    underway.failed({ErrorKind::internal, "late", "too late", {}});
  }
  EXPECT_THAT(outcomes(), ElementsAre("begun", "ok"));
}

std::string masked_word(std::string_view word) {
  auto shown = masked({{"command", json::Array{word}}});
  return std::string{shown.at("command").as_array().at(0).as_string()};
}

TEST(MaskedParameters, HoldNoPasswordOfAUrl) {
  auto shown = masked({{"env", json::Object{{"DATABASE_URL", "postgres://app:hunter2@db/shop"}}}});
  EXPECT_EQ(shown.at("env").as_object().at("DATABASE_URL").as_string(),
            "postgres://app:********@db/shop");
  EXPECT_EQ(masked_word("DATABASE_URL=postgres://app:hunter2@db/shop"),
            "DATABASE_URL=postgres://app:********@db/shop");
  EXPECT_EQ(masked_word("psql postgres://app:hunter2@db/shop -c 'select 1'"),
            "psql postgres://app:********@db/shop -c 'select 1'");
  EXPECT_EQ(masked_word("curl http://db:80/ redis://:hunter2@cache ftp://u:hunter2@h"),
            "curl http://db:80/ redis://:********@cache ftp://u:********@h");
}

TEST(MaskedParameters, AreOtherwiseAsTheyWere) {
  for (const auto* word : {"", "://", "a://://", "ls -l", "http://db:80/x", "MODE=fast"}) {
    EXPECT_EQ(masked_word(word), word);
  }
  EXPECT_EQ(masked_word("DB_PASSWORD=hunter2"), "DB_PASSWORD=********");
}

}  // namespace
}  // namespace gantry::fleet
