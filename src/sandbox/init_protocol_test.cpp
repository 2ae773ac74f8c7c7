#include "sandbox/init_protocol.hpp"

#include <gmock/gmock.h>

namespace gantry::sandbox::init {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using namespace std::string_literals;

auto frame(char type, std::string payload) {
  return AllOf(Field(&Frame::type, type), Field(&Frame::payload, payload));
}

std::string bytes(char type, std::string_view payload) {
  std::string out{type};
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>(payload.size() >> static_cast<unsigned>(shift));
  }
  return out.append(payload);
}

/// What a reader makes of everything it has been fed.
std::vector<Frame> drain(FrameReader& reader) {
  std::vector<Frame> frames;
  while (auto next = value_or_throw(reader.next())) frames.push_back(std::move(*next));
  return frames;
}

Execution execution_of(Program program, Policy policy = {}) {
  return {ExecutionId{"e"}, std::move(program), std::move(policy)};
}
std::string encode(Program program, const std::vector<std::string>& image_env = {}) {
  return encode_run(execution_of(std::move(program)), image_env, Start::fresh);
}
std::string environment() {
  return bytes('E', "HOME=/box") + bytes('E', "LANG=C.UTF-8") +
         bytes('E', "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") +
         bytes('E', "TMPDIR=/tmp");
}
/// The `L` of a stage of 1000 ms, 500 ms of CPU time, 64 KiB of output and files up to 4 KiB.
std::string limits(char flags) {
  return bytes('L', "\2"s + "\0\0\0\0\0\0\3\xe8"s + "\0\0\0\0\0\0\1\xf4"s + "\0\0\0\0\0\1\0\0"s +
                        "\0\0\0\0\0\0\x10\0"s + "\0\0\0\x12"s + flags);
}
Policy small_policy() {
  Policy policy{.wall_time = Milliseconds{1'000}, .cpu_time = Milliseconds{500}};
  policy.output = {65'536};
  policy.file = {4'096};
  return policy;
}

TEST(EncodeRunTest, ASmallProgramIsTheseBytes) {
  Program program{.command = {"sh", "a"}, .files = {{"a", "ls", File::Mode::executable}}};
  auto file = "\0\0\1\xed"s + "\0\0\0\0\0\0\0\2"s + "a";
  EXPECT_EQ(encode_run(execution_of(program, small_policy()), {}, Start::fresh),
            limits(8) + bytes('A', "sh") + bytes('A', "a") + environment() + bytes('F', file) +
                bytes('D', "ls") + bytes('G', ""));
}

TEST(EncodeRunTest, WhatIsAskedForIsInItsFlags) {
  auto execution = execution_of({.command = {"x"}}, small_policy());
  EXPECT_THAT(encode_run(execution, {}, Start::waiting), StartsWith(limits(12)));
  execution.policy.on_output_cap = OnOutputCap::end;
  EXPECT_THAT(encode_run(execution, {}, Start::fresh), StartsWith(limits(9)));
  execution.terminal = Terminal{.rows = 24, .columns = 80};
  auto encoded = encode_run(execution, {}, Start::fresh);
  EXPECT_THAT(encoded, StartsWith(limits(25)));
  EXPECT_THAT(encoded, EndsWith(bytes('T', "\0\x18\0\x50"s) + bytes('G', "")));
}

TEST(EncodeRunTest, AWorkingDirectoryIsTold) {
  EXPECT_THAT(encode({.command = {"x"}, .working_dir = "src/a"}), HasSubstr(bytes('C', "src/a")));
}

TEST(EncodeRunTest, TheCompilationBringsTheFilesAndHasLimitsOfItsOwn) {
  auto execution = execution_of({.compile = Compile{.command = {"cc", "a.c"},
                                                    .wall_time = Milliseconds{1'000},
                                                    .cpu_time = Milliseconds{500}},
                                 .command = {"./a"},
                                 .working_dir = "src",
                                 .files = {{"a.c", "", {}}}},
                                small_policy());
  execution.policy.wall_time = Milliseconds{7};
  auto file = bytes('F', "\0\0\1\xa4\0\0\0\0\0\0\0\0a.c"s);
  EXPECT_EQ(encode_compilation(execution, {}), limits(2) + bytes('A', "cc") + bytes('A', "a.c") +
                                                   environment() + bytes('C', "src") + file +
                                                   bytes('G', "") + bytes('Z', ""));
  EXPECT_THAT(encode_run(execution, {}, Start::fresh), Not(HasSubstr(file)));
}

TEST(EncodeRunTest, AnEmptyFileTakesNoData) {
  EXPECT_THAT(encode({.command = {"x"}, .files = {{"empty", "", {}}}}),
              HasSubstr(bytes('F', "\0\0\1\xa4\0\0\0\0\0\0\0\0empty"s) + bytes('G', "")));
}

TEST(EncodeRunTest, ALargeFileIsCutIntoFramesOfTheLargestSize) {
  EXPECT_THAT(encode({.command = {"x"}, .files = {{"f", std::string(payload_max + 1, 'z'), {}}}}),
              HasSubstr(bytes('D', std::string(payload_max, 'z')) + bytes('D', "z")));
}

TEST(EncodeRunTest, TheProgramsVariablesWinOverOursAndOursOverTheImages) {
  auto encoded = encode({.command = {"x"}, .env = {{"A", "mine"}, {"HOME", "/tmp"}}},
                        {"A=image", "HOME=/root", "TMPDIR=/", "B=b=c"});
  EXPECT_THAT(encoded,
              AllOf(HasSubstr(bytes('E', "A=mine")), HasSubstr(bytes('E', "B=b=c")),
                    HasSubstr(bytes('E', "HOME=/tmp")), HasSubstr(bytes('E', "TMPDIR=/tmp"))));
}

TEST(EncodeRunTest, TheImagesPathIsKeptAndItsMalformedVariablesAreNot) {
  auto encoded = encode({.command = {"x"}}, {"PATH=/opt/bin", "=x", "NOVALUE", ""});
  EXPECT_THAT(encoded, HasSubstr(bytes('E', "PATH=/opt/bin")));
  EXPECT_THAT(encoded, Not(HasSubstr("NOVALUE")));
  EXPECT_THAT(encoded, Not(HasSubstr(bytes('E', "=x"))));
}

TEST(EncodeBootTest, AnInterpreterThatWaitsIsTheseBytes) {
  EXPECT_EQ(encode_boot({.command = {"py"}, .env = {{"X", "1"}}, .image_env = {}, .file = {256}}),
            bytes('A', "py") + environment() + bytes('E', "X=1") +
                bytes('W', "\0\0\0\0\0\0\1\0"s + "\0\0\0\x12"s));
}

TEST(EncodeInputTest, WhatSomebodyDoesIsTheseBytes) {
  EXPECT_EQ(encode_input("hi"), bytes('I', "hi"));
  EXPECT_EQ(encode_input(""), "");
  EXPECT_EQ(encode_end_of_input(), bytes('Z', ""));
  EXPECT_EQ(encode_signal(15), bytes('K', "\0\0\0\xf"s));
  EXPECT_EQ(encode_resize(24, 80), bytes('T', "\0\x18\0\x50"s));
  EXPECT_EQ(encode_resize(-1, 70'000), bytes('T', "\0\1\xff\xff"s));
}

TEST(FrameReaderTest, FramesComeOutWhateverTheBytesCameIn) {
  auto stream = bytes('R', "\1") + bytes('S', "") + bytes('O', "hello") + bytes('P', "\0\xff"s);
  FrameReader reader;
  std::vector<Frame> frames;
  for (char byte : stream) {
    reader.feed({&byte, 1});
    for (auto& one : drain(reader)) frames.push_back(std::move(one));
  }
  EXPECT_THAT(frames, ElementsAre(frame('R', "\1"), frame('S', ""), frame('O', "hello"),
                                  frame('P', "\0\xff"s)));
}

TEST(FrameReaderTest, ManyFramesMayComeAtOnceWithTheNextOneBegun) {
  std::string stream;
  for (int i = 0; i < 50'000; ++i) stream += bytes('O', "x");
  FrameReader reader;
  reader.feed(stream + "O\0\0"s);
  EXPECT_EQ(drain(reader).size(), 50'000U);
  reader.feed("\0\1y"s);
  EXPECT_THAT(drain(reader), ElementsAre(frame('O', "y")));
}

TEST(FrameReaderTest, AFrameOfTheLargestSizeIsRead) {
  FrameReader reader;
  reader.feed(bytes('O', std::string(payload_max, 'm')));
  EXPECT_THAT(drain(reader), ElementsAre(frame('O', std::string(payload_max, 'm'))));
}

TEST(FrameReaderTest, AFrameOverTheLimitIsRefusedByItsHeadAlone) {
  FrameReader reader;
  reader.feed("O\0\1\0\1"s);
  auto next = reader.next();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, "bad_frame");
  EXPECT_THAT(next.error().message, HasSubstr("65537 bytes"));
  EXPECT_FALSE(reader.next());
}

std::string report(std::uint8_t version_byte, std::uint8_t cause) {
  std::string payload{static_cast<char>(version_byte), static_cast<char>(cause)};
  payload += "\0\0\0\x89"s + "\0\0\0\x9"s;
  payload += "\0\0\0\0\0\0\4\0"s + "\0\0\0\0\0\0\2\0"s + "\0\0\0\0\0\1\0\0"s;
  return payload + std::string(24, '\0') + "\3\0\0\0\7"s;
}

TEST(DecodeReportTest, EveryNumberIsInItsPlace) {
  auto decoded = decode_report(report(2, 4)).value();
  EXPECT_EQ(decoded.cause, Cause::memory);
  EXPECT_EQ(decoded.exit_code, 137);
  EXPECT_EQ(decoded.signal, 9);
  EXPECT_EQ(decoded.wall_time, Microseconds{1'024});
  EXPECT_EQ(decoded.cpu_time, Microseconds{512});
  EXPECT_EQ(decoded.memory_peak_bytes, 65'536U);
  EXPECT_TRUE(decoded.output_truncated);
  EXPECT_TRUE(decoded.errors_truncated);
  EXPECT_EQ(decoded.artifacts_skipped, 7U);
}

TEST(DecodeReportTest, AnExitCodeMayBeNegative) {
  auto payload = report(2, 0).replace(2, 4, "\xff\xff\xff\xff");
  EXPECT_EQ(decode_report(payload)->exit_code, -1);
}

TEST(DecodeReportTest, AnotherSizeVersionOrCauseIsRefused) {
  EXPECT_FALSE(decode_report(""));
  EXPECT_FALSE(decode_report(report(2, 0).substr(1)));
  EXPECT_FALSE(decode_report(report(2, 0) + "x"));
  EXPECT_FALSE(decode_report(report(1, 0)));
  EXPECT_FALSE(decode_report(report(3, 0)));
  EXPECT_FALSE(decode_report(report(2, 8)));
  EXPECT_FALSE(decode_report(report(2, 255)));
}

TEST(DecodeReportTest, TimesThatCanNotBeAreRefused) {
  auto forever = std::string(8, '\xff');
  EXPECT_FALSE(decode_report(report(2, 0).replace(10, 8, forever)));
  EXPECT_FALSE(decode_report(report(2, 0).replace(18, 8, forever)));
}

TEST(DecodeArtifactHeadTest, SizeAndPathAreInTheirPlaces) {
  auto head = decode_artifact_head("\0\0\0\0\0\0\1\2a/b"s).value();
  EXPECT_EQ(head.size, 258U);
  EXPECT_EQ(head.path, "a/b");
}

TEST(DecodeArtifactHeadTest, OneWithoutANameIsRefused) {
  EXPECT_FALSE(decode_artifact_head(""));
  EXPECT_FALSE(decode_artifact_head(std::string(8, '\0')));
}

}  // namespace
}  // namespace gantry::sandbox::init
