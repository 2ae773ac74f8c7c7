#pragma once

#include "async/event.hpp"
#include "async/testing_fake.hpp"
#include "executions/executions.hpp"
#include "storage/testing_fake.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace gantry::executions {

/// For tests that are not about who asks.
inline const Reach everybodys = Reach::everybodys();

/// A sandbox in which every program does what the test does with its Run, and nothing else.
class ScriptedSandbox final : public sandbox::Executor {
 public:
  struct Run {
    Run(const async::Executor& executor, sandbox::Execution wanted, sandbox::Observer watcher)
        : execution{std::move(wanted)}, observer{std::move(watcher)}, changed{executor} {}
    sandbox::Execution execution;
    sandbox::Observer observer;
    async::Event changed;
    std::optional<Result<sandbox::Outcome>> ended;
    bool left = false;  ///< The executions do not wait for it any more.

    void out(std::string_view bytes) {
      observer.output(sandbox::OutputStream::standard_output, bytes);
    }
    void err(std::string_view bytes) {
      observer.output(sandbox::OutputStream::standard_error, bytes);
    }
    void end(Result<sandbox::Outcome> how) {
      ended = std::move(how);
      changed.notify();
    }
  };

  explicit ScriptedSandbox(async::Executor executor) : executor_{std::move(executor)} {}

  async::task<sandbox::Outcome> execute(sandbox::Execution execution,
                                        sandbox::Observer observer) override {
    auto run = std::make_shared<Run>(executor_, std::move(execution), std::move(observer));
    runs.push_back(run);
    Leaving leaving{*run};
    while (!run->ended) co_await run->changed.wait();
    co_return value_or_throw(*run->ended);
  }
  async::task<void> maintain() override { co_return; }

  std::vector<std::shared_ptr<Run>> runs;

 private:
  struct Leaving {
    Run& run;
    ~Leaving() { run.left = true; }
  };

  async::Executor executor_;
};

/// A database that can be broken.
class FragileDatabase final : public storage::Database {
 public:
  explicit FragileDatabase(storage::Database& sound) : sound_{sound} {}

  async::task<void> run(storage::TransactionBody body) override {
    if (refusals == 0 && !broken) co_return co_await sound_.run(std::move(body));
    refusals = std::max(0, refusals - 1);
    throw Failure{{ErrorKind::exhausted, "disk_full", "the disk is full", ""}};
  }
  std::string describe() const override { return sound_.describe(); }

  bool broken = false;
  int refusals = 0;  ///< So many more times it fails.

 private:
  storage::Database& sound_;
};

/// Executions over a real database, a scripted sandbox, and a clock that moves on by a second
/// whenever it is read.
class ExecutionsFixture : public testing::Test {
 protected:
  void SetUp() override {
    real_ = loop_.run(storage::open_for_test(folder_.path() / "data"));
    database_ = std::make_unique<FragileDatabase>(*real_);
    start({});
  }
  void TearDown() override { stop(); }

  void start(Executions::Settings settings) {
    stop();
    settings.clock = Clock{[this] { return now_ += Seconds{1}; }};
    settings.folder = folder_.path() / "executions";
    executions_ = std::make_unique<Executions>(loop_.executor(), *database_, sandbox_, workers_,
                                               std::move(settings));
    loop_.run(executions_->start());
  }
  void stop() {
    if (executions_) loop_.run(executions_->close(Milliseconds{5'000}));
    executions_.reset();
  }
  static sandbox::Program program() {
    return {.language = "sh",
            .image = "alpine:latest",
            .command = {"sh", "main.sh"},
            .files = {{"main.sh", "ls", {}}},
            .entry = "main.sh"};
  }
  Result<Record> submit() { return loop_.run(executions_->submit("ann", program(), {})); }
  Result<Receipt> place(Order order) { return loop_.run(executions_->place(std::move(order))); }
  /// An order of so many programs.
  static Order order_of(std::size_t count, Caller caller = {"ann", {}}) {
    Order order{.caller = std::move(caller), .submissions = {}};
    for (std::size_t i = 0; i < count; ++i) order.submissions.push_back({program(), {}});
    if (count > 1) order.kind = Order::Kind::batch;
    return order;
  }
  /// Submits a program and waits until it has come to the sandbox.
  std::pair<ExecutionId, std::shared_ptr<ScriptedSandbox::Run>> running() {
    auto before = sandbox_.runs.size();
    auto id = submit().value().id;
    loop_.run(async::until([&] { return sandbox_.runs.size() > before; }));
    return {id, sandbox_.runs.back()};
  }
  Record ended(const ExecutionId& id) {
    return loop_.run(executions_->wait(id, everybodys)).value();
  }
  Record found(const ExecutionId& id) {
    return loop_.run(executions_->find(id, everybodys)).value();
  }

  static sandbox::Outcome success() {
    sandbox::Outcome outcome{{.verdict = sandbox::Verdict::ok, .exit_code = 0}};
    outcome.served_image = "gantry/sh:latest";
    return outcome;
  }

  async::TestLoop loop_;
  storage::TemporaryFolder folder_;
  WallTime now_{Milliseconds{1'790'000'000'000}};
  ScriptedSandbox sandbox_{loop_.executor()};
  async::Workers workers_{1, 64};
  std::unique_ptr<storage::Database> real_;
  std::unique_ptr<FragileDatabase> database_;
  std::unique_ptr<Executions> executions_;
};

}  // namespace gantry::executions
