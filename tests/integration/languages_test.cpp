// Every language that this machine's packages can provide: its first words, its mistakes, its
// limits. The small images are always tested, the others when GANTRY_TEST_LANGUAGES is 'all' and
// 'gantry images make all' has made them, which takes minutes and gigabytes.
#include "sandbox/languages.hpp"

#include "base/random.hpp"
#include "integration/real_engine.hpp"
#include "sandbox/docker_executor.hpp"
#include "sandbox/image_maker.hpp"

#include <cstdlib>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::AnyOf;

struct Sample {
  const char* language;
  const char* recipe;
  const char* hello;    ///< Prints `hello` and its first argument.
  const char* broken;   ///< Is no program.
  const char* endless;  ///< Never ends by itself.
};

const Sample samples[]{
    {"python", "python", "import sys\nprint('hello', sys.argv[1])", "print('hello'",
     "while True: pass"},
    {"javascript", "node", "console.log('hello', process.argv[2])", "console.log('hello'",
     "for (;;) {}"},
    {"bash", "sh", "echo hello $1", "if", "while :; do :; done"},
    {"sh", "sh", "echo hello $1", "if", "while :; do :; done"},
    {"c", "gcc",
     "#include <math.h>\n#include <stdio.h>\n"
     "int main(int n, char** a) { printf(\"hello %s\\n\", sqrt(n) > 0 ? a[1] : \"\"); }",
     "int main(void) { return undeclared; }", "int main(void) { for (;;) {} }"},
    {"c++", "gcc",
     "#include <iostream>\nint main(int, char** a) { std::cout << \"hello \" << a[1] << '\\n'; }",
     "int main() { return undeclared; }", "int main() { volatile int i = 0; for (;;) ++i; }"},
    {"typescript", "typescript",
     "import * as process from 'process';\nconst name: string = process.argv[2];\n"
     "console.log('hello', name);",
     "const name: number = 'text';", "for (;;) {}"},
    {"go", "go",
     "package main\nimport (\"fmt\"; \"os\")\nfunc main() { fmt.Println(\"hello\", os.Args[1]) }",
     "package main\nfunc main() { undeclared() }", "package main\nfunc main() { for {} }"},
    {"rust", "rust", "fn main() { println!(\"hello {}\", std::env::args().nth(1).unwrap()); }",
     "fn main() { undeclared(); }", "fn main() { loop {} }"},
    {"java", "java",
     "class Main { public static void main(String[] a) { System.out.println(\"hello \" + a[0]); } "
     "}",
     "class Main { public static void main(String[] a) { undeclared(); } }",
     "class Main { public static void main(String[] a) { while (true); } }"},
    {"ruby", "ruby", "puts \"hello #{ARGV[0]}\"", "puts(", "loop {}"},
    {"php", "php", "<?php echo 'hello ', $argv[1], \"\\n\";", "<?php echo (", "<?php while (1);"},
    {"perl", "perl", "use strict; use List::Util 'first'; print \"hello $ARGV[0]\\n\";",
     "use strict; print $undeclared", "1 while 1;"},
    {"lua", "lua", "print('hello ' .. arg[1])", "print(", "while true do end"},
    {"r", "r", "cat('hello', commandArgs(trailingOnly = TRUE)[1]); cat('\\n')", "cat(",
     "repeat {}"},
};

class ALanguage : public RealEngine, public testing::WithParamInterface<Sample> {
 protected:
  void SetUp() override {
    RealEngine::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const auto* wanted = std::getenv("GANTRY_TEST_LANGUAGES");
    bool all = wanted != nullptr && std::string_view{wanted} == "all";
    if (!all && recipe().made != ImageRecipe::Made::usually) {
      GTEST_SKIP() << "GANTRY_TEST_LANGUAGES is not 'all'";
    }
    auto there = run(engine::inspect_image(engine(), std::string{recipe().image}));
    ASSERT_TRUE(there) << "run 'gantry images make " << recipe().name << "' on this engine";
    executor_ = std::make_unique<DockerExecutor>(
        loop_.executor(), engine(), DockerExecutor::Settings{.owner = "test-" + random::word(12)});
  }
  void TearDown() override {
    if (executor_) {
      run(executor_->settled());
      run(executor_->close());
    }
    RealEngine::TearDown();
  }

  static const ImageRecipe& recipe() { return *find_recipe(GetParam().recipe); }
  /// A request such as a client sends, in the image that is made here.
  Outcome execute(std::string_view source, json::Object limits = {}) {
    json::Value request(json::Object{{"language", GetParam().language},
                                     {"image", recipe().image},
                                     {"source", source},
                                     {"args", json::Array{"world"}},
                                     {"limits", std::move(limits)}});
    json::Fields fields{request, "", json::Keys::strict};
    auto submission = read_submission(fields, shipped_languages(), {});
    value_or_throw(fields.finish());
    Observer observer{.progress = [](std::string) {},
                      .started = [this](Stage stage) { stages_.push_back(stage); },
                      .output =
                          [this](OutputStream stream, std::string_view bytes) {
                            (stream == OutputStream::standard_output ? out_ : err_).append(bytes);
                          }};
    return run(executor_->execute({ExecutionId{random::word(26)}, std::move(submission.program),
                                   std::move(submission.policy)},
                                  observer));
  }
  static bool is_compiled() {
    return !shipped_languages().find(GetParam().language)->compile.empty();
  }

  std::unique_ptr<DockerExecutor> executor_;
  std::vector<Stage> stages_;
  std::string out_;
  std::string err_;
};

TEST_P(ALanguage, GreetsWithItsArgument) {
  auto outcome = execute(GetParam().hello);
  EXPECT_EQ(outcome.verdict, Verdict::ok) << outcome.message << '\n' << err_;
  EXPECT_EQ(out_, "hello world\n");
  EXPECT_EQ(err_, "");
  EXPECT_EQ(outcome.compile.has_value(), is_compiled());
}

TEST_P(ALanguage, TellsWhereAProgramIsBroken) {
  auto outcome = execute(GetParam().broken);
  EXPECT_EQ(outcome.verdict, Verdict::failed) << outcome.message;
  EXPECT_NE(out_ + err_, "");
  if (!is_compiled()) return;
  ASSERT_TRUE(outcome.compile);
  EXPECT_EQ(outcome.compile->verdict, Verdict::failed);
  EXPECT_EQ(stages_, std::vector{Stage::compile}) << "what does not compile is not run";
}

TEST_P(ALanguage, IsEndedWhenItsTimeIsUp) {
  auto outcome = execute(GetParam().endless, {{"wall_time_ms", 1500}, {"cpu_time_ms", 1000}});
  EXPECT_THAT(outcome.verdict, AnyOf(Verdict::timed_out, Verdict::cpu_exceeded))
      << outcome.message << '\n'
      << err_;
}

void PrintTo(const Sample& sample, std::ostream* out) { *out << sample.language; }

std::string named(const testing::TestParamInfo<Sample>& info) {
  std::string_view language = info.param.language;
  return language == "c++" ? "cplusplus" : std::string{language};
}

INSTANTIATE_TEST_SUITE_P(All, ALanguage, testing::ValuesIn(samples), named);

}  // namespace
}  // namespace gantry::sandbox
