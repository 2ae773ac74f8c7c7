#include "async/deadline.hpp"
#include "executions/testing_fake.hpp"

#include <filesystem>
#include <fstream>

namespace gantry::executions {
namespace {

namespace fs = std::filesystem;

using sandbox::Stage;
using sandbox::Verdict;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OutputTest : public ExecutionsFixture {
 protected:
  bool has_folder(const ExecutionId& id) {
    return fs::exists(folder_.path() / "executions" / id.text());
  }
  /// As it is on disk, without what this process remembers.
  Record stored(const ExecutionId& id) {
    start({});
    return found(id);
  }
};

TEST_F(OutputTest, TheCompilationIsKeptApart) {
  auto [id, run] = running();
  run->observer.started(Stage::compile);
  run->out("c-out");
  run->err("c-err");
  run->observer.started(Stage::run);
  run->out("out");
  auto outcome = success();
  outcome.compile = {.verdict = Verdict::ok,
                     .exit_code = 0,
                     .message = "fine",
                     .wall_time = Microseconds{5},
                     .cpu_time = Microseconds{4},
                     .memory_peak_bytes = 3,
                     .errors_truncated = true};
  outcome.output_truncated = true;
  outcome.executor = "docker";
  run->end(outcome);
  ended(id);

  auto record = stored(id);
  EXPECT_EQ(record.compile_output, "c-out");
  EXPECT_EQ(record.compile_errors, "c-err");
  EXPECT_EQ(record.output, "out");
  EXPECT_EQ(record.errors, "");
  EXPECT_EQ(record.outcome->executor, "docker");
  EXPECT_TRUE(record.outcome->output_truncated);
  EXPECT_FALSE(record.outcome->errors_truncated);
  const auto& compile = record.outcome->compile.value();
  EXPECT_EQ(compile.verdict, Verdict::ok);
  EXPECT_EQ(compile.exit_code, 0);
  EXPECT_EQ(compile.signal, std::nullopt);
  EXPECT_EQ(compile.message, "fine");
  EXPECT_EQ(compile.wall_time, Microseconds{5});
  EXPECT_EQ(compile.cpu_time, Microseconds{4});
  EXPECT_EQ(compile.memory_peak_bytes, 3U);
  EXPECT_TRUE(compile.errors_truncated);
  EXPECT_FALSE(compile.output_truncated);
}

async::task<std::vector<Happening>> all_of(Executions& executions, ExecutionId id) {
  auto follower = value_or_throw(co_await executions.follow(std::move(id), everybodys));
  std::vector<Happening> all;
  while (auto happening = co_await follower.next()) all.push_back(std::move(*happening));
  co_return all;
}

TEST_F(OutputTest, FollowersLearnOfTheStages) {
  auto [id, run] = running();
  run->observer.started(Stage::compile);
  run->err("warning");
  run->observer.started(Stage::run);
  run->out("out");
  run->end(success());
  auto heard = loop_.run(all_of(*executions_, id));
  ASSERT_EQ(heard.size(), 6U);
  EXPECT_EQ(heard[1].state, State::running);
  EXPECT_EQ(heard[1].stage, Stage::compile);
  EXPECT_EQ(heard[2].stage, Stage::compile);
  EXPECT_EQ(heard[2].bytes, "warning");
  EXPECT_EQ(heard[3].stage, Stage::run);
  EXPECT_EQ(heard[4].stage, Stage::run);
}

TEST_F(OutputTest, TheStartIsThatOfTheFirstStage) {
  auto [id, run] = running();
  run->observer.started(Stage::compile);
  auto first = found(id).started_at;
  run->observer.started(Stage::run);
  EXPECT_EQ(found(id).started_at, first);
}

TEST_F(OutputTest, WhatIsLongIsInAFile) {
  auto [id, run] = running();
  run->out(std::string(65'537, 'o'));
  run->err(std::string(65'536, 'e'));
  run->end(success());
  ended(id);
  EXPECT_TRUE(fs::exists(folder_.path() / "executions" / id.text() / "stdout"));
  EXPECT_FALSE(fs::exists(folder_.path() / "executions" / id.text() / "stderr"));
  EXPECT_EQ(loop_.run(store::find(*database_, id))->first.output, "");
  auto record = stored(id);
  EXPECT_EQ(record.output, std::string(65'537, 'o'));
  EXPECT_EQ(record.errors, std::string(65'536, 'e'));
}

TEST_F(OutputTest, WhatIsShortNeedsNoFolder) {
  auto [id, run] = running();
  run->out("x");
  run->end(success());
  ended(id);
  EXPECT_FALSE(has_folder(id));
}

TEST_F(OutputTest, OutputWhoseFileIsGoneIsAnErrorAndNotEmpty) {
  auto [id, run] = running();
  run->out(std::string(100'000, 'o'));
  run->end(success());
  ended(id);
  fs::remove(folder_.path() / "executions" / id.text() / "stdout");
  EXPECT_EQ(loop_.run(executions_->find(id, everybodys)).error().code, "output_lost");
}

async::task<std::string> artifact(Executions& executions, ExecutionId id, std::size_t index) {
  auto opened =
      value_or_throw(co_await executions.artifact(std::move(id), index, Reach::everybodys()));
  co_return co_await opened.reader.next();
}

TEST_F(OutputTest, ArtifactsAreKeptAndRead) {
  auto [id, run] = running();
  auto outcome = success();
  outcome.artifacts = {{"a.png", std::string{"\0\x89", 2}}, {"sub/b\xff", "b"}};
  run->end(outcome);
  EXPECT_THAT(ended(id).outcome->artifacts, IsEmpty());
  auto record = stored(id);
  EXPECT_THAT(record.artifacts,
              ElementsAre(ArtifactItem{"a.png", 2}, ArtifactItem{"sub/b\\xff", 1}));
  EXPECT_EQ(loop_.run(artifact(*executions_, id, 0)), (std::string{"\0\x89", 2}));
  EXPECT_EQ(loop_.run(artifact(*executions_, id, 1)), "b");
  auto refusal = [&](const ExecutionId& of, std::size_t index) {
    return loop_.run(executions_->artifact(of, index, everybodys)).error().code;
  };
  EXPECT_EQ(refusal(id, 2), "no_such_artifact");
  EXPECT_EQ(refusal(ExecutionId{"none"}, 0), "no_such_execution");
  fs::remove(folder_.path() / "executions" / id.text() / "artifact-0");
  EXPECT_EQ(refusal(id, 0), "output_lost");
}

TEST_F(OutputTest, FilesGoWithTheirRecord) {
  auto [id, run] = running();
  run->out(std::string(100'000, 'o'));
  run->end(success());
  ended(id);
  EXPECT_TRUE(has_folder(id));
  start({.kept = {.count_max = 10, .bytes_max = Bytes{99'999}}});
  loop_.run(async::until([&] { return !has_folder(id); }));
  EXPECT_FALSE(loop_.run(executions_->find(id, everybodys)));
}

TEST_F(OutputTest, NotMuchMoreIsKeptThanAllowed) {
  start({.kept = {.count_max = 100, .bytes_max = Bytes{100'000}}});
  for (int i = 0; i < 6; ++i) {
    auto [id, run] = running();
    run->out(std::string(40'000, 'o'));
    run->end(success());
    ended(id);
  }
  auto kept = [&] { return loop_.run(executions_->list({}, everybodys)).items.size(); };
  for (int i = 0; i < 3'000 && kept() > 2; ++i) loop_.run(async::pause(Milliseconds{10}));
  EXPECT_EQ(kept(), 2U);
}

TEST_F(OutputTest, WithoutRoomForItsFilesAnExecutionStillGetsItsVerdict) {
  std::ofstream{folder_.path() / "executions"} << "no folder can be here";
  auto [id, run] = running();
  run->out(std::string(100'000, 'o'));
  auto outcome = success();
  outcome.artifacts = {{"a", "x"}};
  run->end(outcome);
  EXPECT_EQ(ended(id).outcome->verdict, sandbox::Verdict::ok);
  auto record = stored(id);
  EXPECT_EQ(record.output, std::string(65'536, 'o'));
  EXPECT_TRUE(record.outcome->output_truncated);
  EXPECT_FALSE(record.outcome->errors_truncated);
  EXPECT_THAT(record.artifacts, IsEmpty());
  EXPECT_THAT(record.outcome->message, testing::HasSubstr("not all that it wrote could be kept"));
}

TEST_F(OutputTest, TheOldGo) {
  auto [id, run] = running();
  run->end(success());
  ended(id);
  now_ += std::chrono::hours{49};
  start({.kept = {.age_max = std::chrono::hours{48}}});
  for (int i = 0; i < 3'000 && loop_.run(executions_->find(id, everybodys)); ++i) {
    loop_.run(async::pause(Milliseconds{10}));
  }
  EXPECT_FALSE(loop_.run(executions_->find(id, everybodys)));
}

TEST_F(OutputTest, FoldersThatACrashLeftGo) {
  fs::create_directories(folder_.path() / "executions" / "left");
  start({});
  EXPECT_FALSE(has_folder(ExecutionId{"left"}));
}

TEST_F(OutputTest, NoMoreIsHeldThanThePolicyAllows) {
  sandbox::Policy policy;
  policy.output = Bytes{10};
  auto id = loop_.run(executions_->submit("ann", program(), policy)).value().id;
  loop_.run(async::until([&] { return !sandbox_.runs.empty(); }));
  for (int i = 0; i < 3; ++i) sandbox_.runs[0]->out("12345678");
  EXPECT_EQ(found(id).output, "1234567812");
}

}  // namespace
}  // namespace gantry::executions
