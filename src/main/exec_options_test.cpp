#include "main/exec_options.hpp"

#include <gmock/gmock.h>

namespace gantry::main {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Screen = cli::ContainerExecCommand::Screen;
using Input = cli::ContainerExecCommand::Input;

CommandLine line_of(Words arguments) {
  return value_or_throw(read_command_line(std::move(arguments)));
}

bool in_container(Words arguments) { return means_container(line_of(std::move(arguments)).flags); }

Result<cli::ContainerExecCommand> read(Words arguments) {
  auto line = line_of(std::move(arguments));
  return container_exec_command(line.flags, std::move(line.program), "xterm");
}

cli::ContainerExecCommand command_of(Words arguments) {
  return value_or_throw(read(std::move(arguments)));
}

std::string mistake(Words arguments) { return read(std::move(arguments)).error().sentence(); }

TEST(ContainerExecOptions, WordsAloneAreAProgramInASandbox) {
  EXPECT_FALSE(in_container({"exec", "python", "-c", "1"}));
  EXPECT_FALSE(in_container({"exec", "-i", "-t", "5s", "python", "-it"}));
}

TEST(ContainerExecOptions, ATerminalOrAContainersFlagsMeanAContainer) {
  EXPECT_TRUE(in_container({"exec", "-it", "web-1"}));
  EXPECT_TRUE(in_container({"exec", "-ti", "web-1"}));
  EXPECT_TRUE(in_container({"exec", "--tty", "web-1"}));
  EXPECT_TRUE(in_container({"exec", "--container", "web-1", "ls"}));
  EXPECT_TRUE(in_container({"exec", "--host", "far", "web-1", "ls"}));
}

TEST(ContainerExecOptions, ATerminalNeedsNoCommand) {
  auto command = command_of({"exec", "-it", "web-1"});
  EXPECT_EQ(command.container, "web-1");
  EXPECT_THAT(command.words, IsEmpty());
  EXPECT_EQ(command.screen, Screen::terminal);
  EXPECT_EQ(command.term, "xterm");
}

TEST(ContainerExecOptions, TheCommandsOwnWordsAreLeftAlone) {
  auto command = command_of({"exec", "--host", "far", "-u", "1000:1000", "-w", "/tmp", "-e", "A=b",
                             "-i", "--timeout", "5s", "web-1", "ls", "-it", "--host", "x"});
  EXPECT_EQ(command.host, "far");
  EXPECT_EQ(command.container, "web-1");
  EXPECT_THAT(command.words, ElementsAre("ls", "-it", "--host", "x"));
  EXPECT_EQ(command.user, "1000:1000");
  EXPECT_EQ(command.working_dir, "/tmp");
  EXPECT_THAT(command.env, ElementsAre(std::pair{"A", "b"}));
  EXPECT_EQ(command.input, Input::forwarded);
  EXPECT_EQ(command.screen, Screen::none);
  EXPECT_EQ(command.wall_time_ms, 5000);
}

TEST(ContainerExecOptions, FlagsOfProgramsAreRefused) {
  EXPECT_THAT(mistake({"exec", "-it", "--image", "debian:12", "web-1"}),
              HasSubstr("--image is for programs in a sandbox"));
  EXPECT_THAT(mistake({"exec", "--container", "--memory", "64m", "web-1", "ls"}),
              HasSubstr("--memory"));
  EXPECT_THAT(mistake({"exec", "-it"}), HasSubstr("no container is named"));
  EXPECT_THAT(mistake({"exec", "-it", "--timeout", "5s", "web-1"}),
              HasSubstr("a terminal has no --timeout"));
}

TEST(ContainerExecOptions, ATimeThatIsNoneTellsOfTerminals) {
  auto line = line_of({"exec", "-i", "-t", "web-1", "sh"});
  auto refused = exec_command(line.flags, line.program);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().sentence(), HasSubstr("gantry exec -it CONTAINER"));
}

}  // namespace
}  // namespace gantry::main
