// A program can not tell whether its interpreter was booted before it came: each of these runs
// cold and then warm, and every byte has to be the same.
#include "async/deadline.hpp"
#include "async/race.hpp"
#include "async/scope.hpp"
#include "base/random.hpp"
#include "integration/real_engine.hpp"
#include "integration/warm_corpus.hpp"
#include "sandbox/docker_executor.hpp"
#include "sandbox/labels.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

class AWarmDockerExecutor : public RealEngine {
 protected:
  void SetUp() override {
    RealEngine::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    executor_ = std::make_unique<DockerExecutor>(loop_.executor(), engine(),
                                                 DockerExecutor::Settings{.owner = owner_});
    tasks_ = std::make_unique<async::TaskScope>(loop_.executor());
    tasks_->spawn("upkeep", executor_->maintain());
  }
  void TearDown() override {
    if (executor_) {
      run(tasks_->close());
      run(executor_->close());
      EXPECT_EQ(left_behind(), 0U);
    }
    RealEngine::TearDown();
  }

  std::set<std::string> containers() {
    auto listed = run(engine::list_containers(engine(), engine::ListScope::all,
                                              {fmt::format("{}={}", labels::owner, owner_)}));
    std::set<std::string> ids;
    for (const auto& container : listed.value()) ids.insert(container.id);
    return ids;
  }
  std::size_t left_behind() { return containers().size(); }

  Seen execute(Program program, Policy policy = {}) {
    Seen seen;
    Execution execution{ExecutionId{random::word(26)}, std::move(program), policy};
    seen.outcome = run(executor_->execute(std::move(execution), seen.observer()));
    return seen;
  }
  static async::task<void> wait_for_pool(DockerExecutor& executor, std::size_t classes) {
    auto full = [&] {
      auto pool = executor.pool();
      return pool.size() >= classes && std::ranges::all_of(pool, [](const PoolView& view) {
               return view.ready >= 1 || view.wanted == 0;
             });
    };
    for (int i = 0; i < 6'000 && !full(); ++i) co_await async::pause(Milliseconds{5});
  }
  void fill(std::size_t classes = 1) { run(wait_for_pool(*executor_, classes)); }

  static Program program_of(const WarmSample& sample) {
    bool python = sample.language == "python";
    Program program;
    program.language = sample.language;
    program.image = python ? "gantry/python:latest" : "gantry/node:latest";
    program.entry = python ? "main.py" : "main.js";
    program.command = python ? std::vector<std::string>{"python3", "-u", "main.py"}
                             : std::vector<std::string>{"node", "main.js"};
    program.command.insert(program.command.end(), sample.args.begin(), sample.args.end());
    program.files = {{program.entry, sample.source, {}}};
    for (const auto& [path, content] : sample.files) program.files.push_back({path, content, {}});
    program.env = sample.env;
    program.input = sample.input;
    return program;
  }

  std::string owner_ = "test-" + random::word(12);
  std::unique_ptr<DockerExecutor> executor_;
  std::unique_ptr<async::TaskScope> tasks_;
};

class WarmSampleTest : public AWarmDockerExecutor,
                       public testing::WithParamInterface<WarmSample> {};

TEST_P(WarmSampleTest, IsTheSameColdAndWarm) {
  auto cold = execute(program_of(GetParam()));
  ASSERT_FALSE(cold.outcome.warm);
  fill();
  auto warm = execute(program_of(GetParam()));
  ASSERT_TRUE(warm.outcome.warm);
  expect_same(cold, warm);
  EXPECT_EQ(executor_->pool().at(0).interpreter,
            GetParam().language == "python" ? "python" : "node");
}

INSTANTIATE_TEST_SUITE_P(Python, WarmSampleTest, testing::ValuesIn(python_samples()),
                         [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Node, WarmSampleTest, testing::ValuesIn(node_samples()),
                         [](const auto& info) { return info.param.name; });

WarmSample python(std::string source) {
  return {.name = {}, .language = "python", .source = std::move(source)};
}

TEST_F(AWarmDockerExecutor, ProgramsThatWouldSeeADifferenceStartTheirOwnInterpreter) {
  auto sample = python("print(hash('a'))");
  sample.env = {{"PYTHONHASHSEED", "7"}};
  auto first = execute(program_of(sample));
  fill();
  auto second = execute(program_of(sample));
  EXPECT_EQ(first.out, second.out);
  EXPECT_EQ(executor_->pool().at(0).interpreter, "none");
}

TEST_F(AWarmDockerExecutor, EcmascriptModulesRunAsTheyDoElsewhere) {
  WarmSample sample{.name = {},
                    .language = "javascript",
                    .source =
                        "import { twice } from './other.js';\n"
                        "console.log(import.meta.url, twice(2), await 3);\n",
                    .files = {{"package.json", "{\"type\": \"module\"}"},
                              {"other.js", "export const twice = (n) => 2 * n;\n"}}};
  execute(program_of(sample));
  fill();
  auto seen = execute(program_of(sample));
  EXPECT_TRUE(seen.outcome.warm);
  EXPECT_EQ(executor_->pool().at(0).interpreter, "none");
  EXPECT_EQ(seen.out, "file:///box/main.js 4 3\n") << seen.err;
}

TEST_F(AWarmDockerExecutor, CountsOnlyTheProgramsOwnTime) {
  execute(program_of(python("print(1)")));
  fill();
  run(async::pause(Milliseconds{3'000}));
  auto seen = execute(program_of(python("import time; time.sleep(0.1); print(1)")));
  EXPECT_TRUE(seen.outcome.warm);
  EXPECT_GE(seen.outcome.wall_time, Milliseconds{100});
  EXPECT_LT(seen.outcome.wall_time, Milliseconds{3'000});
}

TEST_F(AWarmDockerExecutor, KeepsToLimitsThatAreNotThoseOfTheWaitingContainer) {
  execute(program_of(python("print(1)")));
  fill();
  Policy small;
  small.memory = Bytes{48U << 20U};
  small.pids = 8;
  auto seen = execute(program_of(python("x = 'a' * 10**9")), small);
  EXPECT_TRUE(seen.outcome.warm);
  EXPECT_EQ(seen.outcome.verdict, Verdict::memory_exceeded) << seen.outcome.message;
}

TEST_F(AWarmDockerExecutor, EndsAWarmProgramInTime) {
  execute(program_of(python("print(1)")));
  fill();
  Policy policy;
  policy.wall_time = Milliseconds{300};
  auto seen = execute(program_of(python("print('begun')\nwhile True: pass")), policy);
  EXPECT_TRUE(seen.outcome.warm);
  EXPECT_EQ(seen.outcome.verdict, Verdict::timed_out) << seen.outcome.message;
  EXPECT_EQ(seen.out, "begun\n");
}

TEST_F(AWarmDockerExecutor, NoTwoProgramsShareAContainer) {
  auto leave = python("open('/tmp/left', 'x'); open('left', 'x'); print(1)");
  execute(program_of(leave));
  for (int i = 0; i < 3; ++i) {
    fill();
    auto seen = execute(program_of(leave));
    EXPECT_TRUE(seen.outcome.warm);
    EXPECT_EQ(seen.outcome.verdict, Verdict::ok) << seen.err;
  }
}

TEST_F(AWarmDockerExecutor, DoesNotHandOutAContainerThatWasKilled) {
  execute(program_of(python("print(1)")));
  fill();
  auto listed = run(engine::list_containers(engine(), engine::ListScope::running,
                                            {fmt::format("{}={}", labels::owner, owner_)}));
  ASSERT_EQ(listed.value().size(), 1U);
  ASSERT_TRUE(run(engine::kill_container(engine(), listed.value()[0].id, "SIGKILL")));
  auto seen = execute(program_of(python("print(2)")));
  EXPECT_EQ(seen.outcome.verdict, Verdict::ok) << seen.outcome.message;
  EXPECT_EQ(seen.out, "2\n");
}

TEST_F(AWarmDockerExecutor, TheSweepKnowsWhatWaits) {
  execute(program_of(python("print(1)")));
  fill();
  EXPECT_EQ(run(executor_->sweep()).value(), 0);
  EXPECT_TRUE(execute(program_of(python("print(1)"))).outcome.warm);
}

TEST_F(AWarmDockerExecutor, WhatAKilledServerLeftWaitingIsSwept) {
  execute(program_of(python("print(1)")));
  fill();
  run(executor_->settled());
  auto waiting = containers();
  ASSERT_FALSE(waiting.empty());
  // The one before is alive in this test, sees them go and lets them be removed as well.
  DockerExecutor next{loop_.executor(), engine(), {.owner = owner_}};
  EXPECT_TRUE(run(next.sweep()));
  run(next.close());
  auto still_there = [&] {
    auto now = containers();
    return std::ranges::any_of(waiting, [&](const auto& id) { return now.contains(id); });
  };
  for (int i = 0; i < 1'200 && still_there(); ++i) run(async::pause(Milliseconds{50}));
  EXPECT_FALSE(still_there());
}

TEST_F(AWarmDockerExecutor, InASandboxOnlyTheBoxCanBeWritten) {
  Policy policy;
  policy.filesystem = Filesystem::sandbox;
  auto seen = execute(program_of(python("open('/box/x', 'w').write('1'); print('box')\n"
                                        "open('/tmp/x', 'w')")),
                      policy);
  EXPECT_EQ(seen.out, "box\n");
  EXPECT_NE(seen.err.find("Read-only file system: '/tmp/x'"), std::string::npos) << seen.err;
}

TEST_F(AWarmDockerExecutor, AFileCanNotGrowBeyondItsLimit) {
  Policy policy;
  policy.file = Bytes{1000};
  auto seen = execute(program_of(python("f = open('/tmp/x', 'wb', buffering=0)\n"
                                        "print(f.write(b'a' * 1000))\n"
                                        "f.write(b'a')")),
                      policy);
  EXPECT_EQ(seen.out, "1000\n");
  EXPECT_NE(seen.err.find("File too large"), std::string::npos) << seen.err;
}

}  // namespace
}  // namespace gantry::sandbox
