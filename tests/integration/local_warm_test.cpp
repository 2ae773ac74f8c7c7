// A program can not tell whether its Python was booted before it came and forked from a nursery:
// each of these runs in an interpreter of its own and then in one that waited, and every byte has
// to be the same.
#include "async/deadline.hpp"
#include "async/scope.hpp"
#include "integration/executor_conformance.hpp"
#include "integration/warm_corpus.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace gantry::sandbox {
namespace {

class LocalWarmSampleTest : public RealEngine, public testing::WithParamInterface<WarmSample> {
 protected:
  void SetUp() override {
    local_ = std::make_unique<LocalExecutor>(
        executor(),
        LocalExecutor::Settings{
            .owner = "test-" + random::word(12), .trust = Trust::everyone, .prepared_max = 1});
    keeper_ = std::make_unique<async::TaskScope>(executor());
    keeper_->spawn("keeper", local_->maintain());
    auto usable_here = run(local_->probe());
    if (usable_here) return;
    if (std::getenv("CI") != nullptr) FAIL() << usable_here.error().sentence();
    GTEST_SKIP() << usable_here.error().sentence();
  }
  void TearDown() override {
    run(keeper_->close());
    run(local_->close());
    RealEngine::TearDown();
  }

  static Program program_of(const WarmSample& sample) {
    Program program{.language = "python",
                    .image = shipped_languages().find("python")->image,
                    .command = {"python3", "-u", "main.py"},
                    .files = {{"main.py", sample.source, {}}},
                    .entry = "main.py",
                    .env = sample.env,
                    .input = sample.input};
    program.command.insert(program.command.end(), sample.args.begin(), sample.args.end());
    for (const auto& [path, content] : sample.files) program.files.push_back({path, content, {}});
    return program;
  }
  /// As it is, but for a word at its end with which it gets an interpreter of its own.
  static Program plain(Program program) {
    program.files.front().content += "\n# /proc\n";
    return program;
  }
  Seen execute(Program program) {
    Seen seen;
    seen.outcome = run(
        local_->execute({ExecutionId{random::word(26)}, std::move(program), {}}, seen.observer()));
    return seen;
  }
  bool one_waits() const {
    return std::ranges::any_of(local_->views(), [](const PoolView& view) {
      return view.interpreter == "python" && view.ready > 0;
    });
  }
  static async::task<void> wait_for_one(const LocalWarmSampleTest& test) {
    for (int i = 0; i < 2'000 && !test.one_waits(); ++i) co_await async::pause(Milliseconds{5});
  }

  std::unique_ptr<LocalExecutor> local_;
  std::unique_ptr<async::TaskScope> keeper_;
};

TEST_P(LocalWarmSampleTest, IsTheSameInAnInterpreterThatWaited) {
  auto cold = execute(plain(program_of(GetParam())));
  run(wait_for_one(*this));
  auto warm = execute(program_of(GetParam()));
  ASSERT_TRUE(warm.outcome.warm);
  expect_same(cold, warm);
}

INSTANTIATE_TEST_SUITE_P(Python, LocalWarmSampleTest, testing::ValuesIn(python_samples()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace gantry::sandbox
