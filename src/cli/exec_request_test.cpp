#include "cli/exec_request.hpp"

#include <cstdlib>
#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <unistd.h>

namespace gantry::cli {
namespace {

using ::testing::HasSubstr;

/// The files of an imaginary machine.
Result<LocalFile> read(const std::string& path) {
  static const std::map<std::string, LocalFile> files{
      {"hello.py", {"print('hello')", {}}},
      {"run.sh", {"echo hi", LocalFile::Mode::executable}},
      {"photo", {"\xff\xd8\xff", {}}},
  };
  auto found = files.find(path);
  if (found == files.end()) return fail(ErrorKind::not_found, "no_file", "cannot read " + path);
  return found->second;
}

ExecCommand command(std::vector<std::string> words) {
  ExecCommand command;
  command.words = std::move(words);
  return command;
}

std::string request(const ExecCommand& command, std::string input = {}) {
  auto body = execution_request(command, read, std::move(input));
  return body ? json::serialize(*body) : body.error().sentence();
}

TEST(ExecRequest, OfALanguageWithCode) {
  EXPECT_EQ(request(command({"python", "-c", "print(1)", "a", "-b"})),
            R"j({"language":"python","source":"print(1)","args":["a","-b"]})j");
  for (const auto* flag : {"-c", "-e"}) {
    EXPECT_EQ(request(command({"node", flag, "1"})), R"({"language":"javascript","source":"1"})");
  }
}

TEST(ExecRequest, OfAShellLeavesOutTheNameItWouldCallItself) {
  EXPECT_EQ(request(command({"sh", "-c", "echo $1", "sh", "x"})),
            R"({"language":"sh","source":"echo $1","args":["x"]})");
}

TEST(ExecRequest, OfAFileTakesTheLanguageFromItsExtension) {
  EXPECT_EQ(request(command({"hello.py", "x"})),
            R"j({"language":"python","source":"print('hello')","args":["x"]})j");
  EXPECT_EQ(request(command({"python3", "hello.py"})),
            R"j({"language":"python","source":"print('hello')"})j");
}

TEST(ExecRequest, OfAProgramOnStandardInput) {
  auto dash = command({"python", "-", "x"});
  EXPECT_EQ(program_from(dash), ProgramFrom::standard_input);
  EXPECT_EQ(request(dash, "print(2)"),
            R"j({"language":"python","source":"print(2)","args":["x"]})j");
}

TEST(ExecRequest, OfOtherInterpreterFlagsIsACommandInTheLanguagesImage) {
  EXPECT_EQ(request(command({"python", "-m", "json.tool"})),
            R"({"image":"python:3.11-alpine","command":["python3","-u","-m","json.tool"]})");
}

TEST(ExecRequest, OfACompiledLanguageHasNoInterpreterFlags) {
  EXPECT_THAT(request(command({"c", "-O3"})), HasSubstr("c has no interpreter with flags"));
  EXPECT_EQ(request(command({"c", "-c", "int x;"})), R"({"language":"c","source":"int x;"})");
}

TEST(ExecRequest, OfAnImageIsItsCommand) {
  auto in_image = command({"python", "-V"});
  in_image.image = "debian:12";
  EXPECT_EQ(request(in_image), R"({"image":"debian:12","command":["python","-V"]})");
}

TEST(ExecRequest, CarriesInputFilesEnvironmentAndLimits) {
  auto full = command({"sh", "-c", "cat"});
  full.files = {{"run.sh", "bin/run.sh"}, {"photo", "photo"}};
  full.env = {{"A", "1"}};
  full.wall_time_ms = 5000;
  full.memory_bytes = 1 << 20;
  full.cpus = 0.5;
  full.pids = 8;
  EXPECT_EQ(request(full, "in"),
            R"({"language":"sh","source":"cat","files":[)"
            R"({"path":"bin/run.sh","content":"echo hi","executable":true},)"
            R"({"path":"photo","content":"/9j/","encoding":"base64"}],"env":{"A":"1"},)"
            R"("stdin":"in","limits":{"wall_time_ms":5000,"memory_bytes":1048576,"cpus":5E-1,)"
            R"("pids":8}})");
}

TEST(ExecRequest, SaysWhatIsMissing) {
  EXPECT_THAT(request(command({"python"})), HasSubstr("there is no program"));
  EXPECT_THAT(request(command({"python", "-c"})), HasSubstr("the code is missing"));
  EXPECT_THAT(request(command({"missing.py"})), HasSubstr("cannot read missing.py"));
  auto in_image = command({});
  in_image.image = "debian:12";
  EXPECT_THAT(request(in_image), HasSubstr("there is no command"));
}

TEST(ExecRequest, SaysWhatItCouldBeWhenItIsNeitherLanguageNorFile) {
  EXPECT_THAT(request(command({"cobol"})),
              HasSubstr("neither a language (python, javascript, typescript, bash, sh, "));
}

TEST(ExecRequest, RefusesFilesOutsideTheBox) {
  auto escaping = command({"sh", "-c", "ls"});
  escaping.files = {{"run.sh", "../run.sh"}};
  EXPECT_THAT(request(escaping), HasSubstr("'..'"));
}

TEST(ExecRequest, HasARemedyForAFileThatIsTooLarge) {
  std::filesystem::path path = std::filesystem::temp_directory_path() / "gantry-large-XXXXXX";
  std::string name = path;
  ::close(::mkstemp(name.data()));
  std::filesystem::resize_file(name, (10U << 20U) + 1);
  auto file = read_local_file(name);
  std::filesystem::remove(name);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, ErrorKind::too_large);
  EXPECT_THAT(file.error().remedy, HasSubstr("--image"));
}

TEST(ExecRequest, RefusesInputThatIsNotText) {
  EXPECT_THAT(request(command({"sh", "-c", "cat"}), "\xff"), HasSubstr("not UTF-8"));
}

TEST(ExecRequest, CanNotTakeBothProgramAndInputFromStandardInput) {
  auto both = command({"python", "-"});
  both.input = ExecCommand::Input::forwarded;
  EXPECT_THAT(request(both), HasSubstr("both the program and its input"));
}

}  // namespace
}  // namespace gantry::cli
