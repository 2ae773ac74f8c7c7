#include "integration/executor_conformance.hpp"

#include <gmock/gmock.h>

// What every sandbox::Executor does with more than a program that runs: a compilation before it,
// files behind it, folders, a terminal and somebody at the keyboard.
namespace gantry::sandbox {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class AnExecutorWithStages : public AnExecutor {
 protected:
  Program compiled(std::string compile, std::string source) const {
    auto program = sh(std::move(source));
    program.files.push_back({"compile.sh", std::move(compile), {}});
    program.compile = Compile{.command = {"sh", "compile.sh"}};
    return program;
  }

  /// Runs a program while `typed` is sent to it, and the end behind it.
  Outcome type(Program program, std::optional<Terminal> terminal, std::vector<Keystrokes> typed) {
    auto asked = execution(std::move(program));
    asked.keyboard = std::make_shared<Keyboard>(executor(), 16);
    asked.terminal = terminal;
    for (auto& keys : typed) asked.keyboard->try_send(std::move(keys));
    asked.keyboard->close();
    return run(subject().execute(std::move(asked), observer()));
  }
};

INSTANTIATE_TEST_SUITE_P(Conformance, AnExecutorWithStages,
                         testing::Values(Subject{Subject::Kind::docker, "Docker", {}},
                                         Subject{Subject::Kind::local, "Local", {.images = false}}),
                         [](const auto& subject) { return std::string{subject.param.name}; });

TEST_P(AnExecutorWithStages, CompilesAndRunsOverTheSameFiles) {
  auto outcome = execute(compiled("echo made > made; echo compiling", "cat made; exit 3"));
  EXPECT_EQ(outcome.exit_code, 3) << outcome.message;
  ASSERT_TRUE(outcome.compile);
  EXPECT_EQ(outcome.compile->verdict, Verdict::ok);
  EXPECT_EQ(out_, "compiling\nmade\n");
  EXPECT_EQ(started_, 2);
}

TEST_P(AnExecutorWithStages, RunsNothingBehindAFailedCompilation) {
  auto outcome = execute(compiled("echo wrong >&2; exit 5", "echo ran"));
  EXPECT_EQ(outcome.verdict, Verdict::failed) << outcome.message;
  EXPECT_EQ(outcome.exit_code, 5);
  ASSERT_TRUE(outcome.compile);
  EXPECT_EQ(outcome.compile->exit_code, 5);
  EXPECT_EQ(out_ + err_, "wrong\n");
}

TEST_P(AnExecutorWithStages, EndsACompilationAtItsOwnWallTime) {
  auto program = compiled("sleep 20", "echo ran");
  program.compile->wall_time = Milliseconds{300};
  auto outcome = execute(std::move(program));
  EXPECT_EQ(outcome.verdict, Verdict::timed_out) << outcome.message;
  EXPECT_EQ(out_, "");
}

TEST_P(AnExecutorWithStages, LetsNoProcessOfTheCompilationReachTheProgram) {
  auto outcome = execute(compiled("sleep 20 & exit 0", "set -- /proc/[0-9]*; echo $#"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  EXPECT_EQ(out_, "2\n");
}

TEST_P(AnExecutorWithStages, BringsBackWhatIsInTheFolderForArtifacts) {
  auto outcome =
      execute(sh("mkdir -p out/a; echo one > out/a/one; ln -s /etc/passwd out/link; mkfifo out/p"));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  ASSERT_THAT(outcome.artifacts, SizeIs(1));
  EXPECT_EQ(outcome.artifacts[0].path, "a/one");
  EXPECT_EQ(outcome.artifacts[0].content, "one\n");
  EXPECT_THAT(outcome.message, HasSubstr("2 of the files in /box/out were left behind"));
}

TEST_P(AnExecutorWithStages, RunsInTheWorkingDirectoryAskedFor) {
  auto program = sh("");
  program.working_dir = "deep/er";
  program.command = {"pwd"};
  auto outcome = execute(std::move(program));
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  EXPECT_EQ(out_, "/box/deep/er\n");
}

TEST_P(AnExecutorWithStages, PassesOnWhatIsTyped) {
  auto outcome = type(sh("read line; echo \"<$line>\"; cat"), {},
                      {{.kind = Keystrokes::Kind::bytes, .bytes = "one\nmore\n"}});
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  EXPECT_EQ(out_, "<one>\nmore\n");
}

TEST_P(AnExecutorWithStages, GivesATerminalOfTheSizeAskedFor) {
  auto program = python(
      "import os, sys\n"
      "print(sys.stdin.isatty(), os.get_terminal_size(), os.ttyname(0)[:9], sys.stdin.read())");
  auto outcome = type(std::move(program), Terminal{.rows = 30, .columns = 99},
                      {{.kind = Keystrokes::Kind::bytes, .bytes = "typed"}});
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message;
  EXPECT_THAT(out_, HasSubstr("True os.terminal_size(columns=99, lines=30) /dev/pts/ typed"));
  EXPECT_EQ(err_, "");
}

}  // namespace
}  // namespace gantry::sandbox
