#include "init/init_fixture.hpp"
#include "init/init_harness.hpp"

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

// What docs/protocols/init.md forbids.

namespace gantry::init_test {
namespace {

struct Refusal {
  const char* name;
  std::string frames;
  std::string sentence;
};

void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class InitRefusalTest : public InitTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(InitRefusalTest, IsToldInASentenceAndEndsInit) {
  const auto outcome = init_.finish_after(GetParam().frames);

  EXPECT_EQ(outcome.types, "RX");
  EXPECT_EQ(outcome.failure, GetParam().sentence);
  EXPECT_EQ(outcome.init_exit_code, 64);
}

Refusal hostile_path(const char* name, std::string_view path, const std::string& reason) {
  return {name, limits_frame() + file_frame(0644, 1, path), reason};
}

const Refusal refusals[] = {
    hostile_path("AnAbsolutePath", "/etc/x", "cannot accept file '/etc/x': its path is absolute"),
    hostile_path("AnEmptyPath", "", "cannot accept file '': its path is empty"),
    hostile_path("AParentAtTheBeginning", "../x",
                 "cannot accept file '../x': its path has a '.' or '..' component"),
    hostile_path("AParentInTheMiddle", "a/../x",
                 "cannot accept file 'a/../x': its path has a '.' or '..' component"),
    hostile_path("ADotComponent", "a/./x",
                 "cannot accept file 'a/./x': its path has a '.' or '..' component"),
    hostile_path("AnEmptyComponent", "a//x",
                 "cannot accept file 'a//x': its path has an empty component"),
    hostile_path("ASlashAtTheEnd", "a/",
                 "cannot accept file 'a/': its path has an empty component"),
    hostile_path("ANulByte", std::string_view{"a\0b", 3},
                 "cannot accept file 'a?b': its path contains a NUL byte"),
    {"ASetuidMode", limits_frame() + file_frame(04755, 1, "x"),
     "cannot accept file 'x': its mode is not 0644, 0755 or that of a folder"},
    {"AFolderWithBytes", limits_frame() + file_frame(040755, 1, "x"),
     "cannot accept file 'x': a folder has no bytes"},
    {"KeepingBeforeLimits", frame('B', u64(1) + u32(1)), "a 'B' frame came before 'L'"},
    {"KeepingOfWrongSize", limits_frame() + frame('B', u64(1)), "a 'B' frame has the wrong size"},
    {"KeepingNothing", limits_frame() + frame('B', u64(1) + u32(0)),
     "a 'B' frame asks for no files"},
    {"AFileLongerThanAnnounced", limits_frame() + file_frame(0644, 1, "x") + frame('D', "ab"),
     "cannot accept file 'x': it is longer than announced"},
    {"AFileShorterThanAnnounced",
     limits_frame() + file_frame(0644, 2, "x") + frame('D', "a") + frame('G'),
     "a file is shorter than announced"},
    {"DataWithoutAFile", limits_frame() + frame('D', "a"),
     "a 'D' frame came without an 'F' frame before it"},
    {"GoWithoutLimits", frame('A', "true") + frame('G'), "'G' came before 'L'"},
    {"LimitsBehindArguments", frame('A', "true") + limits_frame(),
     "an 'L' frame came behind arguments or variables"},
    {"AFileBeforeLimits", file_frame(0644, 0, "x"), "an 'F' frame came before 'L'"},
    {"SecondLimits", limits_frame() + limits_frame(), "a second 'L' frame came"},
    {"LimitsOfTheWrongSize", frame('L', "\x02"), "an 'L' frame has the wrong size"},
    {"LimitsOfAnotherVersion", frame('L', "\x01" + std::string(37, '\0')),
     "an 'L' frame has a version this init does not speak"},
    {"NoWallTime", limits_frame({.wall_ms = 0}),
     "the wall time limit is not between 1 ms and 7 days"},
    {"EndlessWallTime", limits_frame({.wall_ms = UINT64_MAX}),
     "the wall time limit is not between 1 ms and 7 days"},
    {"NoFileSize", limits_frame({.file_bytes = 0}),
     "the file size limit is not between 1 and 2^63 - 1 bytes"},
    {"AFileSizeThatIsNone", limits_frame({.file_bytes = UINT64_MAX}),
     "the file size limit is not between 1 and 2^63 - 1 bytes"},
    {"AnUnknownFlag", limits_frame({.flags = 32}),
     "an 'L' frame has a flag this init does not know"},
    {"NoProgram", limits_frame() + frame('G'), "'G' or 'W' came before any argument"},
    {"NoInterpreter", frame('W', u64(1) + u32(0)), "'G' or 'W' came before any argument"},
    {"AnInterpreterBehindLimits", program({"true"}) + frame('W', u64(1) + u32(0)),
     "a 'W' frame came behind 'L'"},
    {"AnInterpreterOfTheWrongSize", frame('A', "true") + frame('W', "x"),
     "a 'W' frame has the wrong size"},
    {"AnInterpreterThatDoesNotWait", limits_frame({.flags = waiting_interpreter}),
     "no interpreter waits with this file size limit and umask"},
    {"ATerminalForAnInterpreterThatWaits", limits_frame({.flags = waiting_interpreter | terminal}),
     "a waiting interpreter can not get a terminal"},
    {"ASizeWithoutATerminal", limits_frame() + frame('T', u32(1)),
     "a 'T' frame came without a terminal"},
    {"ASizeOfTheWrongSize", limits_frame({.flags = terminal}) + frame('T', "abc"),
     "a 'T' frame has the wrong size"},
    {"AVariableWithoutAName", limits_frame() + frame('E', "=x"),
     "an 'E' frame is not of the form K=V"},
    {"AWorkingDirectoryOutsideOfTheWorkFolder", limits_frame() + frame('C', "a/../.."),
     "the working directory is neither absolute nor plainly below the work folder"},
    {"AnEmptyWorkingDirectory", limits_frame() + frame('C', ""),
     "the working directory is neither absolute nor plainly below the work folder"},
    {"ANulInAnArgument", limits_frame() + frame('A', std::string_view{"a\0b", 3}),
     "an argument, variable or folder contains a NUL byte"},
    {"AnUnknownType", limits_frame() + frame('Q'), "a frame of unknown type came before 'G'"},
    {"StdinBeforeGo", limits_frame() + frame('I', "x"), "a frame of unknown type came before 'G'"},
    {"AnOversizedFrame", limits_frame() + "A" + u32(65'537), "a frame is larger than 65536 bytes"},
    {"AFrameOf4GiB", "L" + u32(UINT32_MAX), "a frame is larger than 65536 bytes"},
};

INSTANTIATE_TEST_SUITE_P(Every, InitRefusalTest, ::testing::ValuesIn(refusals),
                         [](const auto& test) { return test.param.name; });

TEST_F(InitTest, FramesThatEndInTheMiddleOfOneAreRefused) {
  init_.start();
  init_.send(limits_frame() + frame('A', "true").substr(0, 7));
  init_.end_input();
  const auto outcome = init_.finish();

  EXPECT_EQ(outcome.failure, "the frames end in the middle of one");
  EXPECT_EQ(outcome.init_exit_code, 64);
}

TEST_F(InitTest, AnUnknownFrameAfterGoEndsTheProgram) {
  const auto outcome =
      init_.finish_after(program({"sleep", "20"}) + frame('G') + frame('A', "late"));

  EXPECT_EQ(outcome.failure, "a frame of unknown type came after 'G'");
  EXPECT_EQ(outcome.init_exit_code, 64);
  EXPECT_LT(outcome.elapsed, held_up);
}

TEST_F(InitTest, MoreThan1024ArgumentsAreRefused) {
  std::string frames = limits_frame();
  for (int i = 0; i < 1'025; ++i) frames += frame('A', "x");
  const auto outcome = init_.finish_after(frames);

  EXPECT_EQ(outcome.failure, "there are more than 1024 arguments or variables");
}

}  // namespace
}  // namespace gantry::init_test
