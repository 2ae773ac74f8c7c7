#include "sandbox/warmth.hpp"

#include <functional>

#include <gmock/gmock.h>

namespace gantry::sandbox {
namespace {

using ::testing::Contains;
using ::testing::Pair;

const ServedImage python_image{
    .name = "p", .id = "sha256:1", .env = {"PATH=/bin", "PYTHON_VERSION=3.11"}};

Execution plain_python() {
  return {ExecutionId{"e"},
          {.language = "python",
           .image = "p",
           .command = {"python3", "-u", "main.py"},
           .files = {{"main.py", "print(1)", {}}}},
          {}};
}
Execution plain_node() {
  auto execution = plain_python();
  execution.program.command = {"node", "main.js"};
  execution.program.files = {{"main.js", "console.log(1)", {}}};
  return execution;
}
Interpreter interpreter_of(const Execution& execution, const ServedImage& image = python_image) {
  return warm_class_of(execution, image).interpreter;
}

TEST(WarmthTest, AnInterpreterWaitsForPlainPrograms) {
  EXPECT_EQ(interpreter_of(plain_python()), Interpreter::python);
  EXPECT_EQ(interpreter_of(plain_node()), Interpreter::node);
}

TEST(WarmthTest, ArgumentsInputAndHarmlessVariablesCanComeLater) {
  auto execution = plain_python();
  execution.program.command.emplace_back("--verbose");
  execution.program.env = {{"COLOUR", "blue"}};
  execution.program.input = "x";
  EXPECT_EQ(interpreter_of(execution), Interpreter::python);
}

struct Unfit {
  std::string name;
  std::function<void(Execution&)> change;
};

class UnfitProgram : public testing::TestWithParam<Unfit> {};

TEST_P(UnfitProgram, StartsItsOwnInterpreter) {
  auto execution = plain_python();
  GetParam().change(execution);
  EXPECT_EQ(interpreter_of(execution), Interpreter::none);
}

std::function<void(Execution&)> with_variable(std::string name) {
  return [name](Execution& execution) { execution.program.env = {{name, "1"}}; };
}

INSTANTIATE_TEST_SUITE_P(
    Table, UnfitProgram,
    testing::Values(
        Unfit{"HashSeed", with_variable("PYTHONHASHSEED")},
        Unfit{"Locale", with_variable("LC_ALL")}, Unfit{"Language", with_variable("LANG")},
        Unfit{"TimeZone", with_variable("TZ")}, Unfit{"Preload", with_variable("LD_PRELOAD")},
        Unfit{"Home", with_variable("HOME")}, Unfit{"Path", with_variable("PATH")},
        Unfit{"Allocator", with_variable("MALLOC_ARENA_MAX")},
        Unfit{"OurOwn", with_variable("GANTRY_WAIT")},
        Unfit{"Flags",
              [](Execution& e) { e.program.command = {"python3", "-u", "-O", "main.py"}; }},
        Unfit{"AnotherEntry",
              [](Execution& e) { e.program.command = {"python3", "-u", "other.py"}; }},
        Unfit{"AModule", [](Execution& e) { e.program.command = {"python3", "-u", "-m", "main"}; }},
        Unfit{"ACompilation", [](Execution& e) { e.program.compile.emplace(); }},
        Unfit{"ATerminal", [](Execution& e) { e.terminal.emplace(); }},
        Unfit{"AFolder", [](Execution& e) { e.program.working_dir = "src"; }},
        Unfit{"UserSitePackages",
              [](Execution& e) {
                e.program.files.push_back({".local/lib/python3.11/site-packages/x.pth", "", {}});
              }},
        Unfit{"ALookAtItsCommandLine",
              [](Execution& e) {
                e.program.files[0].content = "print(open('/proc/self/cmdline').read())";
              }}),
    [](const auto& info) { return info.param.name; });

TEST(WarmthTest, AnImageThatWouldShowTheWaitingIsNotBootedBeforehand) {
  auto image = python_image;
  image.env.emplace_back("PYTHONPATH=/opt/lib");
  EXPECT_EQ(interpreter_of(plain_python(), image), Interpreter::none);
  image.env.back() = "NODE_OPTIONS=--no-warnings";
  EXPECT_EQ(interpreter_of(plain_node(), image), Interpreter::none);
}

TEST(WarmthTest, NodeProgramsThatAskWhenTheyBeganStartTheirOwn) {
  auto execution = plain_node();
  execution.program.files[0].content = "console.log(process.uptime())";
  EXPECT_EQ(interpreter_of(execution), Interpreter::none);
  execution.program.files[0].content = "console.log(performance.now())";
  EXPECT_EQ(interpreter_of(execution), Interpreter::none);
}

// Node looks for it before it runs what it was told to require, and remembers that there is none.
TEST(WarmthTest, NodeProgramsWithAPackageStartTheirOwn) {
  auto execution = plain_node();
  execution.program.files.push_back({"package.json", R"({"type": "module"})", {}});
  EXPECT_EQ(interpreter_of(execution), Interpreter::none);
}

TEST(WarmthTest, WhatAContainerHasFromItsCreationTellsClassesApart) {
  auto usual = warm_class_of(plain_python(), python_image);
  EXPECT_TRUE(usual.usual());
  auto execution = plain_python();
  execution.policy.filesystem = Filesystem::sandbox;
  EXPECT_NE(warm_class_of(execution, python_image), usual);
  EXPECT_FALSE(warm_class_of(execution, python_image).usual());
  execution = plain_python();
  execution.policy.tmpfs = Bytes{1U << 20U};
  EXPECT_NE(warm_class_of(execution, python_image), usual);
  execution = plain_python();
  execution.policy.memory = Bytes{32U << 20U};
  execution.policy.cpus = 0.5;
  execution.policy.pids = 8;
  EXPECT_EQ(warm_class_of(execution, python_image), usual);
}

TEST(WarmthTest, OnlyAnInterpreterHasItsFileLimitFromItsStart) {
  auto execution = plain_python();
  auto usual = warm_class_of(execution, python_image);
  execution.policy.file = Bytes{1024};
  EXPECT_NE(warm_class_of(execution, python_image), usual);
  execution.program.command = {"sh"};
  EXPECT_EQ(warm_class_of(execution, python_image).file, Bytes{});
}

TEST(WarmthTest, AnInterpreterIsBootedWithItsWaiter) {
  auto python = boot_of(warm_class_of(plain_python(), python_image), python_image);
  ASSERT_TRUE(python);
  EXPECT_EQ(python->command, (std::vector<std::string>{"python3", "-u", "main.py"}));
  EXPECT_THAT(python->env, Contains(Pair("PYTHONPATH", "/.gantry")));
  auto node = boot_of(warm_class_of(plain_node(), python_image), python_image);
  ASSERT_TRUE(node);
  EXPECT_THAT(node->env, Contains(Pair("NODE_OPTIONS", "--require /.gantry/waiter.cjs")));
}

}  // namespace
}  // namespace gantry::sandbox
